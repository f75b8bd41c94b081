// From encodings to entities by the default record-level plan: two registers of a synthetic country, held against the
// truth.
//
//   fuzzy_bench [PERSONS [THREADS [SEED [PERSONS_B [candidates]]]]]    default 20,000, 2, 1 and PERSONS
//
// A country (cli/generate) of PERSONS + PERSONS_B / 5; a is its first PERSONS as the person register has them, b its
// last PERSONS_B, shuffled, with the identifier errors of the generator (DrawIdentity: surnames mistyped or of birth,
// day and month swapped or unknown, postcode of the address before), so that 80 % of b is in a. `candidates`: blocking
// is done once more, alone, and the share of true pairs that it keeps is printed. What
// DrawIdentity has no errors for gets these: a given name is mistyped in 1 % and missing in 1 % of rows, the address is
// missing in 1 %; who has moved has another street and number too. The citizen service number is not used.
// Features are what `sluis match` derives from columns of these types. A pair of records is right if both are one
// person.

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cli/generate/identity.h"
#include "cli/generate/names.h"
#include "cli/generate/places.h"
#include "cli/generate/population.h"
#include "cli/generate/row_writer.h"
#include "common/crypto/crypto.h"
#include "linker/encode/record_encoder.h"
#include "linker/fuzzy/compare.h"
#include "linker/fuzzy/match_records.h"
#include "tests/bench/bench.h"

namespace sluis::linker {
namespace {

using bench::Require;
using bench::RequireOk;

using cli::Identity;
using cli::Person;

constexpr std::size_t kFields = 8;
constexpr cli::DayNumber kReferenceDay = 20'454;  // 2026-01-01

// What is wrong with a record's identifiers; the last that applies.
constexpr std::array<const char*, 4> kErrors = {"none, or small", "another surname", "moved", "no address"};

struct Register {
  std::string values;                   // of all records, each value followed by a tab
  std::vector<std::size_t> begin = {};  // of each record in `values`
  std::vector<std::uint32_t> persons;   // of each record
  std::vector<std::uint8_t> errors;     // of each record of b: position in kErrors
};

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// A line "NAME: value kB" of the kernel's status of this process, in MiB.
double StatusMib(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::strtod(line.c_str() + name.size() + 1, nullptr) / 1024;
  }
  return 0;
}

// Gives memory back and lets the peak begin anew. Returns whether the kernel allowed it.
bool ResetPeak() {
  malloc_trim(0);
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  return file.good();
}

std::string Processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

// Processor time of the calling thread.
double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Prints wall and processor time since the last call, and that of this thread, which takes part in all that is
// parallel: about what the wall time would be if every thread had a core for itself.
class Stopwatch {
 public:
  void Print(const char* step) {
    std::printf("%-28s %8.1f s wall %8.1f s CPU %8.1f s of it this thread\n", step, Seconds() - wall_,
                CpuSeconds() - cpu_, ThreadSeconds() - thread_);
    std::fflush(stdout);
    Restart();
  }
  void Restart() {
    wall_ = Seconds();
    cpu_ = CpuSeconds();
    thread_ = ThreadSeconds();
  }

 private:
  double wall_ = Seconds();
  double cpu_ = CpuSeconds();
  double thread_ = ThreadSeconds();
};

void AddRecord(const Person& person, const Identity& identity, std::string_view given_name, std::string_view street,
               unsigned house_number, bool has_address, Register& to) {
  to.begin.push_back(to.values.size());
  to.persons.push_back(static_cast<std::uint32_t>(person.index));
  cli::RowWriter row(to.values, '\t', cli::DateStyle::kIso);
  row.Text(given_name);
  row.Text(identity.surname);
  row.Date(identity.birth);
  row.Text(identity.female ? "F" : "M");
  if (!has_address) {
    for (int i = 0; i < 4; ++i) row.Empty();
    return;
  }
  row.Text(street);
  row.Number(house_number);
  row.PostcodeOf(identity.postcode);
  const auto municipalities = cli::Municipalities();
  const auto home = std::ranges::find_if(municipalities, [&](const cli::Municipality& municipality) {
    return identity.postcode.digits >= municipality.first_pc4 &&
           identity.postcode.digits < municipality.first_pc4 + municipality.pc4_count;
  });
  row.Text(home == municipalities.end() ? municipalities[person.municipality].code : home->code);
}

void AddAsRegistered(const Person& person, Register& to) {
  Identity identity;
  identity.birth = person.birth;
  identity.female = person.female;
  identity.surname = cli::Surnames()[person.surname].utf8;
  identity.postcode = person.postcode;
  AddRecord(person, identity, cli::GivenNames()[person.given_name].utf8, cli::Streets()[person.street],
            person.house_number, true, to);
}

void AddWithErrors(const cli::CountrySeed& country, const Person& person, Register& to) {
  cli::Random random(country.seed, cli::Purpose::kDiplomas, person.unique);
  const Identity identity = cli::DrawIdentity(random, country, person, cli::NameForm::kUtf8);
  std::string given_name = cli::GivenNames()[person.given_name].utf8;
  if (random.Chance(100)) given_name.clear();
  if (random.Chance(100) && given_name.size() > 2) {
    const std::size_t at = random.Below(given_name.size());
    if (static_cast<unsigned char>(given_name[at]) < 0x80) given_name.erase(at, 1);  // never half a letter
  }
  const bool moved = identity.postcode != person.postcode;
  const std::string& street =
      cli::Streets()[moved ? random.Below(cli::Streets().size()) : static_cast<std::uint32_t>(person.street)];
  const bool has_address = !random.Chance(100);
  const bool other_name = identity.surname != cli::Surnames()[person.surname].utf8;
  to.errors.push_back(!has_address ? 3 : moved ? 2 : other_name ? 1 : 0);
  AddRecord(person, identity, given_name, street, moved ? 1 + random.Skewed(200) : person.house_number, has_address,
            to);
}

// The sizes of the two registers.
struct Sizes {
  std::uint64_t a, b;
};

// The two registers.
std::pair<Register, Register> MakeRegisters(const Sizes& persons, std::uint64_t seed) {
  const cli::CountrySeed country{seed, persons.a + persons.b / 5, kReferenceDay};
  std::vector<Person> late;  // persons of b
  std::pair<Register, Register> registers;
  for (std::uint64_t block = 0; block * cli::kBlockPersons < country.persons; ++block) {
    for (const Person& person : cli::GenerateBlock(country, block).residents) {
      const auto index = static_cast<std::uint64_t>(person.index);
      if (index < persons.a) AddAsRegistered(person, registers.first);
      if (index + persons.b >= country.persons) late.push_back(person);
    }
  }
  std::mt19937_64 random(seed);
  std::ranges::shuffle(late, random);
  for (const Person& person : late) AddWithErrors(country, person, registers.second);
  return registers;
}

EncodingPlan Plan() {
  constexpr FeatureKind kText = FeatureKind::kText;
  const std::array<FieldDescription, kFields> fields = {{{"given_name", kText},
                                                         {"surname", kText},
                                                         {"birth_date", FeatureKind::kDate},
                                                         {"sex", FeatureKind::kCategory},
                                                         {"street", kText},
                                                         {"house_number", FeatureKind::kDigits},
                                                         {"postcode", kText},
                                                         {"municipality", kText}}};
  return DefaultPlan(fields);
}

// Encodes records [begin, end).
EncodingTable EncodePart(const Register& from, std::size_t begin, std::size_t end, const TokenSeeds& seeds,
                         const common::SecretBytes& noise_key) {
  const EncodingPlan plan = Plan();
  RecordEncoder encoder = Require(RecordEncoder::Make(plan, seeds, {.noise_key = &noise_key}));
  EncodingTable table = Require(EncodingTable::Create(plan.EncodedBits()));
  table.Reserve(end - begin);
  std::array<std::string_view, kFields> values;
  Encoding encoding;
  for (std::size_t record = begin; record < end; ++record) {
    std::string_view rest = std::string_view(from.values).substr(from.begin[record]);
    for (std::string_view& value : values) {
      value = rest.substr(0, rest.find('\t'));
      rest.remove_prefix(value.size() + 1);
    }
    RequireOk(encoder.Encode(values, encoding));
    RequireOk(table.Append(encoding.Row(0)));
  }
  return table;
}

MatchSource Encode(const Register& from, std::string name, unsigned threads, const TokenSeeds& seeds) {
  const auto noise_key = common::SecretBytes::CopyOf(common::Sha256("noise of " + name));
  const std::size_t records = from.begin.size();
  MatchSource source;
  source.name = std::move(name);
  source.records = static_cast<std::uint32_t>(records);
  source.record_of_row.resize(records);
  std::iota(source.record_of_row.begin(), source.record_of_row.end(), 0);
  std::vector<std::vector<EncodingTable>> parts(threads);
  {
    std::vector<std::jthread> workers;
    for (unsigned t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        parts[t].push_back(EncodePart(from, records * t / threads, records * (t + 1) / threads, seeds, noise_key));
      });
    }
  }
  EncodingTable table = Require(EncodingTable::Create(Plan().EncodedBits()));
  table.Reserve(records);
  for (std::vector<EncodingTable>& part : parts) {
    for (std::size_t row = 0; row < part.front().rows(); ++row) {
      RequireOk(table.Append(part.front().row(row)));
    }
    part.clear();
  }
  source.tables.push_back(std::move(table));
  return source;
}

void PrintQuality(const MatchResult& result, const Register& a, const Register& b) {
  // Under kLink an entity has at most one record of each source.
  std::vector<std::uint32_t> person_of(result.clustering.entities.size(), UINT32_MAX);
  for (std::size_t record = 0; record < a.persons.size(); ++record) {
    person_of[result.clustering.entity_of[0][record]] = a.persons[record];
  }
  std::uint64_t linked = 0, right = 0, possible = 0;
  std::array<std::uint64_t, kErrors.size()> right_by_error{}, possible_by_error{};
  const auto all_a = static_cast<std::uint32_t>(a.persons.size());  // persons 0 .. all_a - 1
  for (std::size_t record = 0; record < b.persons.size(); ++record) {
    const std::uint32_t other = person_of[result.clustering.entity_of[1][record]];
    linked += other != UINT32_MAX ? 1 : 0;
    right += other == b.persons[record] ? 1 : 0;
    possible += b.persons[record] < all_a ? 1 : 0;
    right_by_error[b.errors[record]] += other == b.persons[record] ? 1 : 0;
    possible_by_error[b.errors[record]] += b.persons[record] < all_a ? 1 : 0;
  }
  const auto share = [](std::uint64_t of, std::uint64_t all) {
    return all == 0 ? 1 : static_cast<double>(of) / static_cast<double>(all);
  };
  for (std::size_t error = 0; error < kErrors.size(); ++error) {
    std::printf("  true pairs with error: %-15s %8llu, recall %.4f\n", kErrors[error],
                static_cast<unsigned long long>(possible_by_error[error]),
                share(right_by_error[error], possible_by_error[error]));
  }
  const LinkEstimate& estimate = result.report.estimate;
  std::printf("links %llu, true pairs %llu\n", static_cast<unsigned long long>(linked),
              static_cast<unsigned long long>(possible));
  std::printf("precision %.5f, estimated %.5f [%.5f %.5f]\n", share(right, linked), estimate.precision.value,
              estimate.precision.low, estimate.precision.high);
  std::printf("recall    %.5f, estimated %.5f [%.5f %.5f]%s\n", share(right, possible), estimate.recall.value,
              estimate.recall.low, estimate.recall.high, estimate.available ? "" : " (no estimate is credible)");
}

// Blocks as MatchRecords does, and prints which share of the true pairs is among the candidates.
void PrintCandidates(std::span<const MatchSource> sources, const MatchPlan& plan, const MatchOptions& options,
                     const Register& a, const Register& b, Stopwatch& watch) {
  const Candidates candidates = Require(Block(sources[0].tables.front(), &sources[1].tables.front(), plan, options,
                                              options.seed + 1));  // the seed of the first source with the second
  watch.Print("candidates alone");
  const auto holds = [](std::span<const Neighbour> list, std::uint32_t row) {
    return std::ranges::any_of(list, [row](const Neighbour& neighbour) { return neighbour.row() == row; });
  };
  std::vector<std::uint32_t> record_of(a.persons.size());  // person to record of a; persons of a are 0 .. size - 1
  for (std::uint32_t record = 0; record < a.persons.size(); ++record) record_of[a.persons[record]] = record;
  std::array<std::uint64_t, kErrors.size()> found{}, possible{}, first{};
  for (std::uint32_t record = 0; record < b.persons.size(); ++record) {
    if (b.persons[record] >= record_of.size()) continue;
    const std::uint32_t other = record_of[b.persons[record]];
    const std::span<const Neighbour> list = candidates.of_b.of(record);
    ++possible[b.errors[record]];
    found[b.errors[record]] += holds(list, other) || holds(candidates.of_a.of(other), record) ? 1 : 0;
    first[b.errors[record]] += !list.empty() && list.front().row() == other ? 1 : 0;
  }
  for (std::size_t error = 0; error < kErrors.size(); ++error) {
    const auto all = static_cast<double>(std::max<std::uint64_t>(possible[error], 1));
    std::printf("  true pairs with error: %-15s %8llu, among candidates %.4f, nearest of all to b %.4f\n",
                kErrors[error], static_cast<unsigned long long>(possible[error]),
                static_cast<double>(found[error]) / all, static_cast<double>(first[error]) / all);
  }
}

void PrintComparison(const ComparisonReport& report) {
  std::printf("%s; %.4g pairs compared, %llu handed to clustering, blocking recall %.4f as estimated\n",
              report.exhaustive ? "exhaustive" : "blocked", static_cast<double>(report.pairs_compared),
              static_cast<unsigned long long>(report.pairs_scored), report.blocking_recall);
  for (const PassStats& pass : report.candidates.passes) {
    std::printf("  pass %s: %llu blocks, largest %llu, %llu split with %llu records, %llu skipped\n", pass.name.c_str(),
                static_cast<unsigned long long>(pass.blocks), static_cast<unsigned long long>(pass.largest_block),
                static_cast<unsigned long long>(pass.split_blocks), static_cast<unsigned long long>(pass.split_records),
                static_cast<unsigned long long>(pass.skipped_blocks));
  }
  std::printf("fit: matches %.0f, bit error %.3f, stable section weighed %.1f, credible: %s\n", report.fit.matches,
              report.bit_error, report.stable_weight, report.fit.credible ? "yes" : report.fit.why_not.c_str());
}

int Run(const Sizes& persons, unsigned threads, std::uint64_t seed, bool print_candidates) {
  std::printf("%llu x %llu persons, seed %llu, %u threads; processor %s, %u of them; gcc %s\n",
              static_cast<unsigned long long>(persons.a), static_cast<unsigned long long>(persons.b),
              static_cast<unsigned long long>(seed), threads, Processor().c_str(), std::thread::hardware_concurrency(),
              __VERSION__);
  Stopwatch watch;
  std::pair<Register, Register> registers = MakeRegisters(persons, seed);
  watch.Print("generate");
  const TokenSeeds seeds = Require(TokenSeeds::FromKey(common::SecretBytes::CopyOf(common::Sha256("tokens"))));
  std::vector<MatchSource> sources;
  sources.push_back(Encode(registers.first, "a", threads, seeds));
  sources.push_back(Encode(registers.second, "b", threads, seeds));
  watch.Print("encode");
  for (Register* const values : {&registers.first, &registers.second}) std::string().swap(values->values);
  MatchPlan plan;
  plan.encoding = Plan();
  MatchOptions options;
  options.seed = seed;
  options.threads = threads;
  options.seconds = Seconds;
  if (print_candidates) {
    watch.Restart();
    PrintCandidates(sources, plan, options, registers.first, registers.second, watch);
  }

  const bool reset = ResetPeak();
  const double before = StatusMib("VmRSS");
  watch.Restart();
  const MatchResult result = Require(MatchRecords(sources, plan, options));
  watch.Print("match (encodings to links)");
  for (const StepTime& step : result.report.steps)
    std::printf("  %-26s %8.1f s wall\n", step.step.c_str(), step.seconds);
  std::printf("memory: %.0f MiB before matching, peak %.0f MiB%s\n", before, StatusMib("VmHWM"),
              reset ? " while matching" : " since the start");
  for (const ComparisonReport& report : result.report.comparisons) PrintComparison(report);
  for (const std::string& warning : result.report.warnings) std::printf("warning: %s\n", warning.c_str());
  PrintQuality(result, registers.first, registers.second);
  return 0;
}

}  // namespace
}  // namespace sluis::linker

int main(int argc, char** argv) {
  const std::uint64_t persons = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  const unsigned long threads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2;
  const std::uint64_t seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
  const std::uint64_t persons_b = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : persons;
  const bool candidates = argc == 6 && std::string_view(argv[5]) == "candidates";
  if (std::min(persons, persons_b) < 1000 || persons > 10'000'000 || persons_b > persons || threads == 0 ||
      threads > 256 || argc > (candidates ? 6 : 5)) {
    std::fprintf(stderr,
                 "usage: fuzzy_bench [PERSONS [THREADS [SEED [PERSONS_B [candidates]]]]]; PERSONS 1,000 to "
                 "10,000,000, PERSONS_B 1,000 to PERSONS\n");
    return 2;
  }
  return sluis::linker::Run({persons, persons_b}, static_cast<unsigned>(threads), seed, candidates);
}
