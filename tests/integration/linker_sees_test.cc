#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <sstream>

#include "cli/generate/registers.h"
#include "common/seal/sealed_row.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "linker/encode/encoding_bytes.h"
#include "linker/encode/permit_plan.h"
#include "linker/store/delivery.h"
#include "tests/cli/generate/read_country.h"
#include "tests/integration/custodian_view.h"
#include "tests/integration/leak_scan.h"
#include "tests/integration/linker_store_view.h"
#include "tests/integration/recording_linker.h"

// Everything that the linker receives and everything that it stores, opened with its own keys, for the five registers
// of a country: nothing in it tells who somebody is or what a register says, and neither order nor size speaks. Each
// assertion has a control, which shows that it would have found something.
//
// False alarms: keys, nonces, linkage ids and the order are random, so each run could see a pattern by chance. Bytes:
// some 20,000 patterns of six bytes in 2 MB of random bytes, 2^-48 for each and position: 10^-4 in all. Order: 6 *
// 10^-7 for each of ten correlations, 10^-9 for each of five counts of neighbours. Distribution of bytes: 10^-6 for
// each of five.

namespace sluis::testing {
namespace {

namespace v1 = linker::v1;

constexpr std::size_t kPseudonym = linker::kPseudonymBytes;
constexpr std::size_t kToken = 16;
constexpr std::size_t kDigest = 32;

// Fields of a delivery's header that look random to the linker: ciphertext, digests and signatures of such.
const std::set<std::string> kOpaqueFields = {"sealed_data_key", "manifest_sha256", "signature"};

std::string Bytes(const common::Hash256& hash) { return std::string(common::AsChars(hash)); }

// What a register's delivery was to the linker.
struct Received {
  v1::DeliveryHeader header;
  std::string pseudonyms, rows, encodings;
  std::vector<std::string> opaque;                         // values of kOpaqueFields
  std::vector<std::pair<std::string, std::size_t>> sizes;  // method and bytes of each message, in order
};

// Takes messages apart. What they hold beside pseudonyms, encodings, sealed rows and opaque fields is compared byte for
// byte with what the permit and the number of records say, so that no other field can carry anything.
class Deliveries {
 public:
  // Of deliveries that are all called REGISTER-`number` and replace the one before.
  Deliveries(const common::Permit& permit, int number) : permit_(permit), number_(number) {}

  std::map<std::string, Received> TakeApart(const std::vector<ReceivedMessage>& messages) {
    std::string current;
    for (const ReceivedMessage& message : messages) {
      if (message.method == "BeginUpload") {
        current = Begin(message);
      } else if (message.method == "Upload") {
        Chunk(message, received_[current]);
      } else if (message.method == "CommitUpload") {
        Commit(message, received_[current]);
      } else {
        ADD_FAILURE() << "a message that this test does not know: " << message.method;
      }
      received_[current].sizes.emplace_back(message.method, message.bytes.size());
    }
    return received_;
  }

 private:
  std::string Begin(const ReceivedMessage& message) {
    v1::BeginUploadRequest request, expected;
    EXPECT_TRUE(request.ParseFromString(message.bytes));
    const v1::DeliveryHeader& header = request.header();
    const common::PermitRegister* reg = permit_.FindRegister(header.register_());
    EXPECT_NE(reg, nullptr);
    if (reg == nullptr) return "";
    EXPECT_EQ(message.caller, reg->custodian);
    Received& in = received_[reg->name] = {header, "", "", "", {}, {}};
    v1::DeliveryHeader& known = *expected.mutable_header();
    for (int i = 0; i < header.GetDescriptor()->field_count(); ++i) {
      const auto* field = header.GetDescriptor()->field(i);
      if (!kOpaqueFields.contains(field->name())) continue;
      in.opaque.push_back(header.GetReflection()->GetString(header, field));
      known.GetReflection()->SetString(&known, field, in.opaque.back());
    }
    known.set_permit_id(permit_.id);
    known.set_permit_sha256(Bytes(permit_.sha256));
    known.set_register_(reg->name);
    known.set_delivery_id(reg->name + "-" + std::to_string(number_));
    if (number_ > 1) known.set_replaces(reg->name + "-" + std::to_string(number_ - 1));
    known.set_record_count(header.record_count());
    for (const std::string& key : reg->match_keys) known.add_match_keys(key);
    known.set_row_bytes(static_cast<std::uint32_t>(common::SealedRowBytes(reg->RowWidth())));
    known.set_schema_sha256(Bytes(permit_.FindAttachment(reg->schema)->sha256));
    if (!reg->features.empty()) {
      const auto plan = linker::PlanOf(permit_);
      EXPECT_THAT(plan, common::testing::IsOk());
      known.set_encoding_plan_sha256(Bytes(plan->Digest()));
      known.set_encoding_bytes(static_cast<std::uint32_t>(linker::EncodingBytes(*plan)));
    }
    EXPECT_EQ(expected.SerializeAsString(), message.bytes) << "a field that this test does not know";
    return reg->name;
  }

  // One chunk takes up to 8,192 records, so each delivery here has one.
  void Chunk(const ReceivedMessage& message, Received& in) const {
    v1::UploadRequest request, expected;
    EXPECT_TRUE(request.ParseFromString(message.bytes));
    EXPECT_EQ(request.records(), in.header.record_count());
    EXPECT_EQ(request.pseudonyms().size(), request.records() * in.header.match_keys().size() * kPseudonym);
    EXPECT_EQ(request.rows().size(), request.records() * in.header.row_bytes());
    EXPECT_EQ(request.encodings().size(), request.records() * in.header.encoding_bytes());
    const linker::Chunk chunk{request.records(), request.pseudonyms(), request.rows(), request.encodings()};
    expected.set_permit_id(permit_.id);
    expected.set_register_(in.header.register_());
    expected.set_delivery_id(in.header.delivery_id());
    expected.set_records(request.records());
    expected.set_pseudonyms(request.pseudonyms());
    expected.set_rows(request.rows());
    expected.set_encodings(request.encodings());
    expected.set_sha256(Bytes(linker::ChunkDigest(0, chunk)));
    EXPECT_EQ(expected.SerializeAsString(), message.bytes) << "a field that this test does not know";
    in.pseudonyms += request.pseudonyms();
    in.rows += request.rows();
    in.encodings += request.encodings();
  }

  void Commit(const ReceivedMessage& message, const Received& in) const {
    v1::CommitUploadRequest request, expected;
    EXPECT_TRUE(request.ParseFromString(message.bytes));
    expected.set_permit_id(permit_.id);
    expected.set_register_(in.header.register_());
    expected.set_delivery_id(in.header.delivery_id());
    expected.set_records(in.header.record_count());
    expected.set_sha256(request.sha256());
    EXPECT_EQ(request.sha256().size(), kDigest);
    EXPECT_EQ(expected.SerializeAsString(), message.bytes) << "a field that this test does not know";
  }

  const common::Permit& permit_;
  const int number_;
  std::map<std::string, Received> received_;
};

// The pieces of `width` bytes; those that are all zero say that something is absent.
std::vector<std::string> Present(const std::string& bytes, std::size_t width) {
  std::vector<std::string> pieces;
  EXPECT_EQ(bytes.size() % width, 0u);
  for (std::size_t at = 0; at + width <= bytes.size(); at += width) {
    const std::string piece = bytes.substr(at, width);
    if (piece.find_first_not_of('\0') != std::string::npos) pieces.push_back(piece);
  }
  return pieces;
}

// Without runs of 32 and more hexadecimal digits: digests and random ids, in which eight digits of a date are found by
// chance.
std::string WithoutDigests(const std::string& text) {
  std::string kept, run;
  for (const char c : text + '\n') {
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
      run += c;
      continue;
    }
    kept += (run.size() >= 32 ? "#" : run) + c;
    run.clear();
  }
  return kept;
}

// What a custodian knows, in each form in which it could have slipped through.
std::set<std::string> Forms(const CustodianView& custodian) {
  std::set<std::string> forms = custodian.row_parts;
  forms.insert(custodian.inputs.begin(), custodian.inputs.end());
  for (const auto* texts : {&custodian.values, &custodian.neighbours}) {
    for (const std::string& text : *texts) {
      std::string upper = text, lower = text;
      std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
      std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
      forms.insert({text, upper, lower});
    }
  }
  return forms;
}

// Chi-square of the bytes against equal frequency, 255 degrees of freedom: above 377.2 with probability 10^-6 if they
// are random (Wilson-Hilferty).
constexpr double kUniform = 377.2;
double ChiSquare(const std::string& bytes) {
  std::array<double, 256> count{};
  for (const char c : bytes) ++count[static_cast<unsigned char>(c)];
  const double expected = static_cast<double>(bytes.size()) / 256;
  double sum = 0;
  for (const double n : count) sum += (n - expected) * (n - expected) / expected;
  return sum;
}

std::vector<double> Ranks(const std::vector<std::string>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) ranks[order[i]] = static_cast<double>(i);
  return ranks;
}

// Spearman's rank correlation of the order of `ranks` (0 .. n-1, each once) with the order in which they stand. Of a
// random order it has mean 0 and variance 1 / (n - 1), and is near normal (for small n with lighter tails).
double Correlation(const std::vector<double>& ranks) {
  const auto n = static_cast<double>(ranks.size());
  double squares = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) squares += std::pow(ranks[i] - static_cast<double>(i), 2);
  return 1 - 6 * squares / (n * (n * n - 1));
}
double CorrelationBound(std::size_t n) { return 5 / std::sqrt(static_cast<double>(n) - 1); }  // 6 * 10^-7, two-sided

// How many stand directly after the one that they follow in the extract. Of a random order near Poisson with mean 1:
// more than 11 with probability 10^-9. Finds an order that was shuffled in blocks only.
int Neighbours(const std::vector<double>& ranks) {
  int count = 0;
  for (std::size_t i = 1; i < ranks.size(); ++i) count += ranks[i] == ranks[i - 1] + 1 ? 1 : 0;
  return count;
}
constexpr int kMostNeighbours = 11;

std::string Number(std::size_t n) {
  std::ostringstream out;
  out.width(8);
  out.fill('0');
  out << n;
  return out.str();
}

void ExpectNoOrder(const CustodianView& custodian, const Received& received, const std::string& linkage_ids) {
  // People with one record, in the order of the extract: where their record was uploaded, and its linkage id.
  std::map<int, std::pair<std::string, std::string>> found;
  const std::size_t width = static_cast<std::size_t>(received.header.match_keys().size()) * kPseudonym;
  ASSERT_EQ(received.header.match_keys(0), "bsn");
  for (std::size_t i = 0; i * width < received.pseudonyms.size(); ++i) {
    const auto person = custodian.record_of_person.find(received.pseudonyms.substr(i * width, kPseudonym));
    if (person != custodian.record_of_person.end()) {
      found[person->second] = {Number(i), linkage_ids.substr(i * kToken, kToken)};
    }
  }
  ASSERT_EQ(found.size(), custodian.record_of_person.size()) << "each pseudonym is that of its person";
  ASSERT_GE(found.size(), 25u);
  std::vector<std::string> places, ids, unshuffled;
  for (const auto& [record, place] : found) {
    places.push_back(place.first);
    ids.push_back(place.second);
    unshuffled.push_back(Number(static_cast<std::size_t>(record)));
  }
  const double bound = CorrelationBound(found.size());
  EXPECT_LT(std::abs(Correlation(Ranks(places))), bound) << "the order of upload";
  EXPECT_LE(Neighbours(Ranks(places)), kMostNeighbours) << "the order of upload";
  EXPECT_LT(std::abs(Correlation(Ranks(ids))), bound) << "the order of linkage ids";
  // The control: an upload in the order of the extract, and one whose halves were swapped.
  EXPECT_GT(Correlation(Ranks(unshuffled)), bound);
  std::rotate(unshuffled.begin(), unshuffled.begin() + static_cast<std::ptrdiff_t>(unshuffled.size() / 2),
              unshuffled.end());
  EXPECT_GT(Neighbours(Ranks(unshuffled)), kMostNeighbours);
}

// The first `records` rows of each register, decompressed, under the same names in `directory`.
void CutCountry(const World& world, const std::string& from, const std::string& to,
                const std::vector<std::size_t>& records) {
  std::filesystem::create_directory(world / to);
  for (std::size_t i = 0; i < cli::kRegisters; ++i) {
    const cli::RegisterFile& file = cli::RegisterFiles()[i];
    const std::string text = cli::testing::ReadContent(world / (from + "/" + std::string(file.file)));
    std::size_t end = 0;
    for (std::size_t line = 0; line <= records[i]; ++line) end = text.find('\n', end) + 1;
    WriteWhole(world / (to + "/" + std::string(file.name)), text.substr(0, end));
  }
}

class LinkerSees : public ::testing::Test {
 protected:
  // Submits the five registers of a folder as REGISTER-`number`; returns what the linker received.
  std::map<std::string, Received> Submit(const std::string& directory, bool packed, int number) {
    for (std::size_t i = 0; i < cli::kRegisters; ++i) {
      const cli::RegisterFile& file = cli::RegisterFiles()[i];
      const std::string name(file.name);
      std::vector<std::string> more;
      if (number > 1) more = {"--replaces", name + "-" + std::to_string(number - 1)};
      const std::string path = directory + "/" + (packed ? std::string(file.file) : name);
      const Outcome outcome =
          world_.Sluis(World::Submit(custodians_[i], name, name + "-" + std::to_string(number), path, more));
      EXPECT_EQ(outcome.exit_code, 0) << name << outcome.out << outcome.err;
    }
    return Deliveries(permit_, number).TakeApart(recorder_.Take());
  }

  // Two countries with as many records in each register, and other people with other values in them, give messages of
  // the same sizes. Controls: their files differ in size; one record less gives another size.
  void ExpectSizesThatDependOnTheNumberOfRecordsOnly() {
    std::vector<std::size_t> records(cli::kRegisters, SIZE_MAX);
    for (const std::string seed : {"1", "2"}) {
      const std::string country = "country-" + seed;
      ASSERT_EQ(world_.Sluis({"generate", "--persons", "600", "--seed", seed, "--out", country}).exit_code, 0);
      for (std::size_t i = 0; i < cli::kRegisters; ++i) {
        const std::string text =
            cli::testing::ReadContent(world_ / (country + "/" + std::string(cli::RegisterFiles()[i].file)));
        records[i] = std::min(records[i], static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 1);
      }
    }
    CutCountry(world_, "country-1", "one", records);
    CutCountry(world_, "country-2", "two", records);
    for (std::size_t& count : records) --count;
    CutCountry(world_, "country-1", "less", records);
    const auto less = Submit("less", false, 1), one = Submit("one", false, 2), two = Submit("two", false, 3);
    if (HasFailure()) return;
    for (const auto& [name, in] : one) {
      EXPECT_EQ(in.sizes, two.at(name).sizes) << name;
      EXPECT_NE(in.rows, two.at(name).rows) << name;
      EXPECT_EQ(in.sizes.size(), 3u) << name;
      EXPECT_EQ(in.sizes[1].first, "Upload");
      EXPECT_LT(less.at(name).sizes[1], in.sizes[1]) << name;
      EXPECT_NE(std::filesystem::file_size(world_ / ("one/" + name)),
                std::filesystem::file_size(world_ / ("two/" + name)));
    }
  }

  World world_;
  RecordingLinker recorder_{world_};
  const common::Permit permit_ = world_.Permit();
  const std::vector<std::string> custodians_ = {"population", "employment", "benefits", "education", "education"};
};

TEST_F(LinkerSees, NeitherIdentityNorValueNorOrderNorSize) {
  ExpectSizesThatDependOnTheNumberOfRecordsOnly();
  if (HasFailure()) return;
  ASSERT_EQ(world_.Sluis({"generate", "--persons", "2000", "--out", "country"}).exit_code, 0);
  const std::map<std::string, Received> received = Submit("country", true, 4);
  if (HasFailure()) return;
  ASSERT_EQ(received.size(), cli::kRegisters);
  ASSERT_EQ(world_.SluisAs("office", "link", {}).exit_code, 0);
  std::string said;  // by the office: no one's data, looked through all the same
  for (const ReceivedMessage& message : recorder_.Take()) said += message.bytes + "\n";
  for (const std::string& metadata : recorder_.Metadata()) said += metadata + "\n";
  for (const std::string service : {"keys", "linker", "gate"}) world_.Stop(service);
  const std::vector<CustodianView> custodians = ReadCustodians(world_, "country");
  const LinkerStoreView stored = OpenLinkerStore(world_);
  if (HasFailure()) return;

  std::set<std::string> forms;
  for (const CustodianView& custodian : custodians) forms.merge(Forms(custodian));
  const ByteScan scan(forms);
  // Records and keys hold small numbers with zeros between, as encoded rows do, so rows are not looked for in them.
  for (const CustodianView& custodian : custodians) {
    for (const std::string& part : custodian.row_parts) forms.erase(part);
  }
  const ByteScan texts(forms);
  const auto expect_no_text = [&](const std::string& bytes, const std::string& where) {
    EXPECT_EQ(texts.Find(WithoutDigests(bytes)).size(), 0u) << where;
  };
  const auto expect_nothing = [&](const std::string& bytes, const std::string& where) {
    EXPECT_EQ(scan.Find(bytes).size(), 0u) << where;
  };
  expect_no_text(said, "messages of the office and metadata");
  for (const std::string& key : stored.keys) expect_no_text(key, "a key of the store");
  for (const std::string& record : stored.records) expect_no_text(record, "a record of the store");

  for (const CustodianView& custodian : custodians) {
    SCOPED_TRACE(custodian.name);
    const Received& in = received.at(custodian.name);
    const std::size_t records = custodian.rows.size();
    ASSERT_EQ(in.header.record_count(), records);
    for (const std::string& field : in.opaque) expect_nothing(field, "a field of the header");
    const std::size_t row_bytes = in.header.row_bytes();
    for (const std::string& pseudonym : Present(in.pseudonyms, kPseudonym)) expect_nothing(pseudonym, "a pseudonym");
    const std::vector<std::string> rows = Present(in.rows, row_bytes);
    for (const std::string& row : rows) expect_nothing(row, "a sealed row");
    // What an encoding gives away is not to be found by searching: tests/linker/encode/attacks.
    if (!in.encodings.empty()) {
      for (const std::string& encoding : Present(in.encodings, in.header.encoding_bytes())) {
        expect_no_text(encoding, "an encoding");
      }
    }
    // The control: the same scan finds all of it in what the custodian has.
    std::string plain = custodian.text;
    for (const std::string& row : custodian.rows) plain += row;
    const std::set<std::string> found = scan.Find(plain);
    EXPECT_TRUE(std::includes(found.begin(), found.end(), custodian.values.begin(), custodian.values.end()));
    EXPECT_TRUE(std::includes(found.begin(), found.end(), custodian.row_parts.begin(), custodian.row_parts.end()));

    // Sealed rows look random, and no two are alike; the rows themselves do not look random.
    EXPECT_EQ(std::set<std::string>(rows.begin(), rows.end()).size(), records);
    EXPECT_LT(ChiSquare(in.rows), kUniform);
    EXPECT_GT(ChiSquare(std::accumulate(custodian.rows.begin(), custodian.rows.end(), std::string())), kUniform);

    // What is stored of a record is what was received, and two kinds of random numbers; beside them the scores of pairs
    // of records, if encodings were compared.
    const auto columns = stored.registers.find(custodian.name);
    ASSERT_NE(columns, stored.registers.end());
    EXPECT_EQ(columns->second.pseudonyms, in.pseudonyms);
    EXPECT_EQ(columns->second.rows, in.rows);
    EXPECT_EQ(columns->second.encodings, in.encodings);
    EXPECT_EQ(columns->second.linkage_ids.size(), records * kToken);
    for (const std::string& token : Present(columns->second.tokens, kToken)) expect_nothing(token, "a token");
    for (const std::string& id : Present(columns->second.linkage_ids, kToken)) expect_nothing(id, "a linkage id");

    // A register without match keys has nothing by which its records could be told apart in what was uploaded.
    if (in.header.match_keys().empty()) {
      EXPECT_EQ(in.encodings.size(), records * in.header.encoding_bytes());
      EXPECT_GT(in.encodings.size(), 0u);
      continue;
    }
    ExpectNoOrder(custodian, in, columns->second.linkage_ids);
  }
}

}  // namespace
}  // namespace sluis::testing
