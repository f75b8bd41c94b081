// Preparing a delivery: normalising match keys alone, then a whole delivery whose identifiers are in the cache already
// (a correction) and one whose identifiers are not, with the key holder in the same process. The floor of the latter is
// the evaluation: blinding, evaluating, proving and unblinding the same number of identifiers, timed in the same run.
//
//   prepare_bench [rows, default 50000]

#include <sys/utsname.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "cli/prepare/prepare.h"
#include "common/crypto/crypto.h"
#include "keys/oprf/client.h"
#include "keys/oprf/server.h"
#include "linker/encode/match_key.h"

namespace sluis::cli {
namespace {

constexpr std::uint64_t kSeed = 20241122;

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(value);
}

class LocalKeyHolder : public Evaluator {
 public:
  absl::StatusOr<Answer> Evaluate(std::string_view, std::string_view, std::uint32_t,
                                  std::string_view blinded) override {
    Answer answer;
    answer.evaluated = Must(keys::BlindEvaluate(key, blinded));
    answer.proof = Must(keys::GenerateProof(key, blinded, answer.evaluated));
    return answer;
  }
  const keys::KeyPair key = keys::KeyPair::Generate();
};

// Persons with a number that passes the eleven test, made as they are read.
class Persons : public RowSource {
 public:
  explicit Persons(std::uint64_t count) : count_(count) {}
  absl::StatusOr<bool> Next(SourceRow& row) override {
    if (made_ == count_) {
      return false;
    }
    for (;; ++number_) {
      int sum = 0;
      for (std::uint64_t i = 2, rest = number_; i <= 9; ++i, rest /= 10) {
        sum += static_cast<int>(i * (rest % 10));
      }
      if (sum % 11 < 10) {
        bsn_ = std::to_string(number_ * 10 + static_cast<std::uint64_t>(sum % 11));
        break;
      }
    }
    ++number_;
    const std::uint64_t mixed = (made_ + kSeed) * 0x9E3779B97F4A7C15ull;
    date_ = std::to_string(1940 + mixed % 80) + "-0" + std::to_string(1 + (mixed >> 8) % 9) + "-" +
            std::to_string(10 + (mixed >> 16) % 19);
    name_ = "van der ";
    for (std::uint64_t rest = made_++; rest > 0; rest /= 20) {
      name_ += "bcdfghjklmnprstvwzij"[rest % 20];
      name_ += "aeiou"[rest % 5];
    }
    row.components = {{bsn_}, {date_, "V", name_, "1234AB"}};
    row.attributes = attributes_;
    return true;
  }

 private:
  const std::uint64_t count_;
  std::uint64_t made_ = 0;
  std::uint64_t number_ = 10'000'000;
  std::string bsn_, date_, name_;
  const std::string attributes_ = std::string(64, 'A');
};

common::Permit MakePermit(const LocalKeyHolder& holder, const common::SealingKeyPair& gate) {
  using common::Normaliser;
  common::Permit permit;
  permit.id = "bench";
  common::PermitRegister persons;
  persons.name = "persons";
  common::PermitField amount;
  amount.type = common::FieldType::kInteger;
  persons.fields.assign(8, amount);
  persons.match_keys = {"bsn", "birth"};
  persons.max_records = 1'000'000'000;
  permit.registers = {persons};
  permit.match_keys = {{"bsn", "identifiers", {{"bsn", Normaliser::kBsn}}},
                       {"birth",
                        "match-keys",
                        {{"birth_date", Normaliser::kDate},
                         {"sex", Normaliser::kSex},
                         {"surname", Normaliser::kPhoneticName},
                         {"postcode", Normaliser::kPostcode4}}}};
  permit.oprf_public_keys = {{"identifiers", holder.key.public_key()}, {"match-keys", holder.key.public_key()}};
  permit.gate_sealing_key = gate.public_key;
  return permit;
}

double NormalisingSeconds(const common::Permit& permit, std::uint64_t rows) {
  Persons source(rows);
  SourceRow row;
  std::size_t bytes = 0;
  double seconds = 0;
  while (Must(source.Next(row))) {
    const double start = Seconds();
    for (std::size_t i = 0; i < permit.match_keys.size(); ++i) {
      bytes += Must(linker::MatchKeyInput(permit.match_keys[i], row.components[i])).value_or("").size();
    }
    seconds += Seconds() - start;
  }
  std::printf("normalise        %9.0f keys/s  (%zu bytes for each row)\n", 2.0 * static_cast<double>(rows) / seconds,
              bytes / rows);
  return seconds;
}

double EvaluatingSeconds(LocalKeyHolder& holder, std::uint64_t inputs) {
  double seconds = 0;
  for (std::uint64_t done = 0; done < inputs;) {
    std::vector<std::string> batch;
    for (; batch.size() < keys::kMaxBatch && done < inputs; ++done) {
      batch.push_back("input " + std::to_string(done));
    }
    const double start = Seconds();
    const keys::BlindedBatch blinded = Must(keys::Blind(batch));
    const Evaluator::Answer answer = Must(holder.Evaluate("", "", 0, blinded.elements()));
    Must(keys::Unblind(blinded, answer.evaluated, answer.proof, holder.key.public_key()));
    seconds += Seconds() - start;
  }
  return seconds;
}

void Run(std::uint64_t rows, const std::string& root) {
  utsname machine{};
  uname(&machine);
  std::string cpu = "unknown processor";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      cpu = line.substr(line.find(':') + 2);
      break;
    }
  }
  std::printf("rows %llu, 2 match keys, 64 bytes of attributes, seed %llu, gcc %s, %s, %u cores, %s\n",
              static_cast<unsigned long long>(rows), static_cast<unsigned long long>(kSeed), __VERSION__, cpu.c_str(),
              std::thread::hardware_concurrency(), machine.machine);
  LocalKeyHolder holder;
  const common::SealingKeyPair gate = common::SealingKeyPair::Generate();
  const common::Permit permit = MakePermit(holder, gate);
  NormalisingSeconds(permit, rows);

  const common::SecretBytes local_key = common::SecretBytes::Random(32);
  common::RocksDbOptions store_options;
  store_options.families = PseudonymCache::Families();
  const auto store = Must(common::OpenRocksDb(root + "/cache", store_options));
  PseudonymCache cache(*store, local_key, permit);
  DeliveryStates states = Must(DeliveryStates::Open(root + "/deliveries", local_key));
  const common::SpillDirectory spill = Must(common::SpillDirectory::Open(root + "/tmp"));
  SystemRandom random;
  double floor = 0;
  for (const char* delivery : {"first", "correction"}) {
    DeliveryJob job;
    job.permit = &permit;
    job.register_name = "persons";
    job.delivery_id = delivery;
    Persons source(rows);
    const double start = Seconds();
    const DeliveryState state = Must(PrepareDelivery(job, source, holder, {cache, states, spill, random}, {}, {}));
    const double seconds = Seconds() - start;
    std::printf("%-16s %9.0f rows/s  (%.2f s, %llu identifiers evaluated, spool %.1f MB)\n", delivery,
                static_cast<double>(rows) / seconds, seconds, static_cast<unsigned long long>(state.evaluated),
                static_cast<double>(std::filesystem::file_size(states.SpoolPath("persons", delivery))) / 1e6);
    if (state.evaluated > 0) {
      floor = EvaluatingSeconds(holder, state.evaluated);
      std::printf("floor            %9.2f s on one core for its evaluations: the delivery took %.2f of that\n", floor,
                  seconds / floor);
    }
  }
}

}  // namespace
}  // namespace sluis::cli

int main(int argc, char** argv) {
  const std::uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 50'000;
  std::string root = std::filesystem::temp_directory_path().string() + "/prepare-bench-XXXXXX";
  if (rows == 0 || mkdtemp(root.data()) == nullptr) {
    std::fprintf(stderr, "usage: prepare_bench [rows]\n");
    return 1;
  }
  sluis::cli::Run(rows, root);
  std::filesystem::remove_all(root);
  return 0;
}
