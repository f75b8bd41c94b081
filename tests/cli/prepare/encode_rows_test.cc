#include "cli/prepare/encode_rows.h"

#include <gtest/gtest.h>

#include <bit>
#include <fstream>
#include <set>

#include "common/seal/sealed_row.h"
#include "linker/encode/encoding_bytes.h"
#include "linker/encode/match_key.h"
#include "linker/encode/permit_plan.h"
#include "tests/cli/prepare/fixture.h"

namespace sluis::cli {
namespace {

using common::SimilarityKind;
using common::testing::StatusIs;
using testing::KeyHolder;

// A person as a register knows it, with slips.
struct Person {
  std::string given, surname, birth_date, sex, postcode;
};

std::vector<Person> People(int count, std::uint64_t seed) {
  static const char* const kSyllables[] = {"ba",  "der", "fi",  "gon", "ha",  "jan", "ke", "lo", "mun", "na",
                                           "pie", "ro",  "sen", "ti",  "van", "wil", "ze", "ou", "mar", "dek"};
  std::mt19937_64 random(seed);
  const auto word = [&](int syllables) {
    std::string out;
    for (int i = 0; i < syllables; ++i) out += kSyllables[random() % 20];
    return out;
  };
  std::vector<Person> people;
  for (int i = 0; i < count; ++i) {
    const auto two = [&](std::uint64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    people.push_back(
        {word(2), word(3),
         std::to_string(1930 + random() % 80) + "-" + two(1 + random() % 12) + "-" + two(1 + random() % 28),
         random() % 2 == 0 ? "F" : "M",
         std::to_string(1000 + random() % 9000) + static_cast<char>('A' + random() % 26) + "B"});
  }
  return people;
}

// Dice similarity, bit by bit.
double Dice(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  int common = 0, ones = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    common += std::popcount(a[i] & b[i]);
    ones += std::popcount(a[i]) + std::popcount(b[i]);
  }
  return ones == 0 ? 0 : 2.0 * common / ones;
}

// Two registers of two custodians. Persons knows five features and two match keys; courses knows four and no key.
class EncodeRowsTest : public testing::PrepareTest {
 protected:
  struct Custodian {
    explicit Custodian(const common::Permit& permit, const std::string& directory)
        : cache(std::make_unique<PseudonymCache>(*store, local_key, permit)),
          states(*DeliveryStates::Open(directory, local_key)) {}
    common::SecretBytes local_key = common::SecretBytes::Random(32);
    std::unique_ptr<common::Store> store = common::MakeMemoryStore(PseudonymCache::Families());
    std::unique_ptr<PseudonymCache> cache;
    DeliveryStates states;
  };

  EncodeRowsTest() {
    Similar(permit_);
    permit_.oprf_public_keys["tokens"] = holder_.key("tokens").public_key();
    population_ = std::make_unique<Custodian>(permit_, root_ + "/population");
    education_ = std::make_unique<Custodian>(permit_, root_ + "/education");
  }

  static void Similar(common::Permit& permit) {
    auto& features = permit.similarity.emplace().features;
    for (const auto& [name, kind] : {std::pair("given_name", SimilarityKind::kName),
                                     {"surname", SimilarityKind::kName},
                                     {"birth_date", SimilarityKind::kDate},
                                     {"sex", SimilarityKind::kCategory},
                                     {"postcode", SimilarityKind::kDigits}}) {
      common::SimilarityFeature& feature = features.emplace_back();
      feature.name = name;
      feature.kind = kind;
    }
    const std::vector<common::FeatureSource> four = {
        {"surname", "surname"}, {"birth_date", "birth_date"}, {"sex", "sex"}, {"postcode", "postcode"}};
    permit.registers[0].features = four;
    permit.registers[0].features.push_back({"given_name", "given_name"});
    permit.registers[1].name = "courses";
    permit.registers[1].match_keys.clear();
    permit.registers[1].features = four;
  }

  std::vector<testing::Row> Rows(const std::string& reg, const std::vector<Person>& people) const {
    std::vector<testing::Row> rows;
    for (std::size_t i = 0; i < people.size(); ++i) {
      const Person& p = people[i];
      testing::Row row;
      if (reg == "persons") row.components = {{"person-" + std::to_string(i)}, {p.birth_date, p.surname}};
      row.attributes = testing::AmountBytes(i);
      row.features = {reg == "persons" ? p.given : "", p.surname, p.birth_date, p.sex, p.postcode};
      rows.push_back(std::move(row));
    }
    return rows;
  }

  absl::StatusOr<DeliveryState> Prepare(Custodian& custodian, const std::string& reg, const std::string& delivery,
                                        const std::vector<testing::Row>& rows, Evaluator& evaluator,
                                        std::size_t batch = 32'768, std::uint32_t chunk_records = 64) {
    testing::VectorSource source(rows);
    DeliveryJob job;
    job.permit = &permit_;
    job.register_name = reg;
    job.delivery_id = delivery;
    PseudonymiseOptions pseudonymise;
    pseudonymise.batch = batch;
    pseudonymise.progress = [this](const PseudonymiseProgress& progress) { progress_.push_back(progress); };
    const common::SecretBytes noise_key = NoiseKey(custodian.local_key, permit_.id);
    SealOptions seal;
    seal.noise_key = &noise_key;
    seal.chunk_records = chunk_records;
    return PrepareDelivery(job, source, evaluator, {*custodian.cache, custodian.states, *spill_, random_}, pseudonymise,
                           seal);
  }

  // The encodings of a prepared delivery; by what the record's amount was (the gate opens it), so that records are
  // found again after the shuffle.
  std::map<std::string, std::vector<std::uint64_t>> Encodings(const Custodian& custodian, const DeliveryState& state) {
    const linker::EncodingPlan plan = *linker::PlanOf(permit_);
    EXPECT_EQ(state.header.encoding_plan_sha256, plan.Digest());
    EXPECT_EQ(state.header.encoding_bytes, linker::EncodingBytes(plan));
    const auto reader =
        SpoolReader::Open(custodian.states.SpoolPath(state.header.register_name, state.header.delivery_id),
                          custodian.states.spool_key(), state.header);
    EXPECT_THAT(reader, common::testing::IsOk());
    const auto opened = common::OpenSealed(gate_, state.header.sealed_data_key);
    EXPECT_THAT(opened, common::testing::IsOk());
    const common::SecretBytes data_key = common::SecretBytes::CopyOf(common::AsBytes(*opened));
    const std::string context =
        common::SealedRowContext(state.header.permit_sha256, state.header.register_name, state.header.delivery_id);
    std::map<std::string, std::vector<std::uint64_t>> out;
    SpoolChunk chunk;
    while (*(*reader)->Next(chunk)) {
      EXPECT_EQ(chunk.encodings.size(), chunk.count * state.header.encoding_bytes);
      for (std::size_t i = 0; i < chunk.count; ++i) {
        linker::Encoding encoding;
        SLUIS_EXPECT_OK(linker::ReadEncodingBytes(
            plan,
            std::string_view(chunk.encodings).substr(i * state.header.encoding_bytes, state.header.encoding_bytes),
            encoding));
        const auto row = common::AeadOpen(
            data_key, context, std::string_view(chunk.rows).substr(i * state.header.row_bytes, state.header.row_bytes));
        EXPECT_THAT(row, common::testing::IsOk());
        out[*row] = encoding.words;
      }
    }
    return out;
  }

  SystemRandom random_;
  std::unique_ptr<Custodian> population_, education_;
  std::vector<PseudonymiseProgress> progress_;
};

TEST_F(EncodeRowsTest, TwoCustodiansEncodingsOfOnePersonAreAlikeAndOfStrangersNot) {
  const std::vector<Person> people = People(150, 1);
  std::vector<Person> with_slips = people;
  for (Person& p : with_slips) {
    p.surname.back() = 'x';
    p.given.clear();
  }
  const auto persons = Prepare(*population_, "persons", "p1", Rows("persons", people), holder_);
  SLUIS_ASSERT_OK(persons);
  const auto courses = Prepare(*education_, "courses", "c1", Rows("courses", with_slips), holder_);
  SLUIS_ASSERT_OK(courses);
  const auto left = Encodings(*population_, *persons), right = Encodings(*education_, *courses);
  ASSERT_EQ(left.size(), 150u);
  ASSERT_EQ(right.size(), 150u);
  double least_alike = 1, most_alike_strangers = 0;
  for (const auto& [amount, encoding] : left) {
    for (const auto& [other, other_encoding] : right) {
      const double dice = Dice(encoding, other_encoding);
      if (amount == other) {
        least_alike = std::min(least_alike, dice);
      } else {
        most_alike_strangers = std::max(most_alike_strangers, dice);
      }
    }
  }
  // Fixed people and plan; what varies with the random keys is the positions. Two encodings of about 320 and 390 of
  // 1,024 bits that share nothing have Dice 0.35, sd 0.02; strangers share tokens of dates, sex and some bigrams.
  EXPECT_GT(least_alike, most_alike_strangers);
  EXPECT_GT(least_alike, 0.6);
  EXPECT_LT(most_alike_strangers, 0.62);
}

TEST_F(EncodeRowsTest, OneCustodianGivesTheSameRecordTheSameEncodingInEveryDelivery) {
  const std::vector<testing::Row> rows = Rows("persons", People(40, 2));
  const auto first = Prepare(*population_, "persons", "p1", rows, holder_);
  SLUIS_ASSERT_OK(first);
  EXPECT_GT(first->tokens_evaluated, 300u);
  const std::uint64_t debited = holder_.debited;
  const auto second = Prepare(*population_, "persons", "p2", rows, holder_);
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(holder_.debited, debited) << "a token was evaluated twice";
  EXPECT_EQ(second->tokens_evaluated, 0u);
  EXPECT_EQ(Encodings(*population_, *first), Encodings(*population_, *second));
  // Also under a new version of the permit; another custodian's noise is another.
  permit_.version = 2;
  permit_.sha256[0] = 9;
  const auto third = Prepare(*population_, "persons", "p3", rows, holder_);
  SLUIS_ASSERT_OK(third);
  EXPECT_EQ(Encodings(*population_, *first), Encodings(*population_, *third));
  const auto elsewhere = Prepare(*education_, "persons", "e1", rows, holder_);
  SLUIS_ASSERT_OK(elsewhere);
  EXPECT_NE(Encodings(*population_, *first), Encodings(*education_, *elsewhere));
}

// The same people under another token key: not more alike than two encodings that have nothing to do with each other.
TEST_F(EncodeRowsTest, EncodingsUnderAnotherTokenKeyAreUnrelated) {
  const std::vector<testing::Row> rows = Rows("persons", People(60, 3));
  const auto here = Prepare(*population_, "persons", "p1", rows, holder_);
  SLUIS_ASSERT_OK(here);
  const auto ours = Encodings(*population_, *here);
  KeyHolder other;
  for (const char* purpose : {"identifiers", "match-keys", "tokens"}) {
    permit_.oprf_public_keys[purpose] = other.key(purpose).public_key();
  }
  Custodian elsewhere(permit_, root_ + "/elsewhere");
  const auto there = Prepare(elsewhere, "persons", "p1", rows, other);
  SLUIS_ASSERT_OK(there);
  const auto theirs = Encodings(elsewhere, *there);
  double same = 0, strangers = 0;
  for (const auto& [amount, encoding] : ours) {
    for (const auto& [other_amount, other_encoding] : theirs) {
      (amount == other_amount ? same : strangers) += Dice(encoding, other_encoding);
    }
  }
  same /= 60;
  strangers /= 60 * 59;
  // Each Dice has sd about 0.02, so the mean of 60 has 0.003; ten of them are no accident.
  EXPECT_NEAR(same, strangers, 0.03);
  EXPECT_LT(same, 0.5);
}

TEST_F(EncodeRowsTest, EqualsWhatThePlanGivesUnderTheKeyItself) {
  const std::vector<Person> people = People(20, 4);
  const auto state = Prepare(*population_, "persons", "p1", Rows("persons", people), holder_);
  SLUIS_ASSERT_OK(state);
  // The slow way: k * H(input) without blinding, batches or cache.
  const linker::EncodingPlan plan = *linker::PlanOf(permit_);
  auto tokens = linker::CollectTokens::Make(plan);
  for (const testing::Row& row : Rows("persons", people)) {
    const std::vector<std::string_view> values(row.features.begin(), row.features.end());
    SLUIS_ASSERT_OK(tokens->Add(values));
  }
  std::string elements;
  for (const std::string& input : tokens->Inputs()) elements += PseudonymOf("tokens", input);
  const auto seeds = linker::TokenSeeds::FromEvaluations(tokens->Inputs(), elements);
  SLUIS_ASSERT_OK(seeds);
  const common::SecretBytes noise_key = NoiseKey(population_->local_key, permit_.id);
  auto encoder = linker::RecordEncoder::Make(plan, *seeds, {.noise_key = &noise_key});
  SLUIS_ASSERT_OK(encoder);
  const auto encodings = Encodings(*population_, *state);
  for (std::size_t i = 0; i < people.size(); ++i) {
    const testing::Row row = Rows("persons", people)[i];
    const std::vector<std::string_view> values(row.features.begin(), row.features.end());
    linker::Encoding expected;
    SLUIS_ASSERT_OK(encoder->Encode(values, expected));
    EXPECT_EQ(encodings.at(testing::AmountBytes(i)), expected.words);
  }
}

TEST_F(EncodeRowsTest, ARecordWithoutAnyFeatureHasNoEncoding) {
  std::vector<testing::Row> rows = Rows("courses", People(3, 5));
  rows[1].features.assign(5, "");
  const auto state = Prepare(*education_, "courses", "c1", rows, holder_);
  SLUIS_ASSERT_OK(state);
  const auto encodings = Encodings(*education_, *state);
  EXPECT_EQ(encodings.at(testing::AmountBytes(1)), std::vector<std::uint64_t>(16));
  EXPECT_NE(encodings.at(testing::AmountBytes(2)), std::vector<std::uint64_t>(16));
}

// The linker takes chunks of 4 MiB at most: at field level 8,192 records with their encodings would be more.
TEST_F(EncodeRowsTest, ChunksOfWideEncodingsHoldFewerRecords) {
  permit_.similarity->field_level = true;
  permit_.similarity->bits = 4096;
  permit_.similarity->insertions = 100;
  const auto state = Prepare(*education_, "courses", "c1", Rows("courses", People(900, 8)), holder_, 32'768, 8'192);
  SLUIS_ASSERT_OK(state);
  const std::uint32_t record_bytes = state->header.encoding_bytes + state->header.row_bytes;
  EXPECT_EQ(state->header.encoding_bytes, 5u * 4096 / 8 + 8);
  EXPECT_EQ(state->header.chunk_records, (2u << 20) / record_bytes);
  EXPECT_EQ(state->header.chunk_sha256.size(), 2u);
  EXPECT_EQ(Encodings(*education_, *state).size(), 900u);
}

TEST_F(EncodeRowsTest, TokensAreEvaluatedForTokensOnly) {
  const auto state = Prepare(*population_, "persons", "p1", Rows("persons", People(30, 6)), holder_);
  SLUIS_ASSERT_OK(state);
  std::map<std::string, std::size_t> elements;
  for (const KeyHolder::Call& call : holder_.calls) elements[call.purpose] += call.blinded.size() / 32;
  EXPECT_EQ(elements.size(), 3u);
  EXPECT_EQ(elements["identifiers"] + elements["match-keys"], state->evaluated);
  EXPECT_EQ(elements["tokens"], state->tokens_evaluated);
  ASSERT_FALSE(progress_.empty());
  EXPECT_EQ(progress_.back().tokens, state->tokens_evaluated);
  EXPECT_EQ(progress_.back().tokens_evaluated, state->tokens_evaluated);
  EXPECT_EQ(progress_.back().evaluated, state->evaluated);
}

// A token's input cannot stand for an identifier, nor the reverse, whatever the values: the first bytes differ.
TEST_F(EncodeRowsTest, InputsOfTokensAndOfMatchKeysAreApart) {
  const auto key = linker::MatchKeyInput(permit_.match_keys[0], std::vector<std::string_view>{"sluis-token-v1"});
  SLUIS_ASSERT_OK(key);
  const std::string token = linker::TokenInput("bsn", "", "sluis-match-key-v1");
  EXPECT_NE((**key).substr(0, 8), token.substr(0, 8));
}

TEST_F(EncodeRowsTest, RefusesALyingKeyHolderAndStoresNothingOfItsAnswer) {
  const std::vector<testing::Row> rows = Rows("courses", People(10, 7));
  for (const auto fault :
       {KeyHolder::Fault::kAnotherKeyForTheLast, KeyHolder::Fault::kSwapsTwo, KeyHolder::Fault::kDropsTheLast}) {
    holder_.fault = fault;
    const auto refused = Prepare(*education_, "courses", "c1", rows, holder_);
    EXPECT_FALSE(refused.ok());
    EXPECT_NE(std::string(refused.status().message()).find("tokens"), std::string::npos) << refused.status();
    EXPECT_EQ(*education_->cache->Find(education_->cache->LookupOf("tokens", linker::LayoutInput())), std::nullopt);
  }
  permit_.oprf_public_keys["tokens"] = holder_.key("identifiers").public_key();
  holder_.fault = KeyHolder::Fault::kNone;
  Custodian misled(permit_, root_ + "/misled");
  EXPECT_EQ(common::ReasonOf(Prepare(misled, "courses", "c2", rows, holder_).status()), "OPRF_PROOF_INVALID");
}

// Answers until so many elements were debited.
class Exhausted : public Evaluator {
 public:
  Exhausted(KeyHolder& holder, std::uint64_t budget) : holder_(holder), budget_(budget) {}
  absl::StatusOr<Answer> Evaluate(std::string_view purpose, std::string_view delivery_id, std::uint32_t chunk,
                                  std::string_view blinded) override {
    if (holder_.debited + blinded.size() / 32 > budget_) {
      return common::WithReason(absl::ResourceExhaustedError("over the budget for tokens"), "QUOTA_EXHAUSTED");
    }
    return holder_.Evaluate(purpose, delivery_id, chunk, blinded);
  }

 private:
  KeyHolder& holder_;
  std::uint64_t budget_;
};

TEST_F(EncodeRowsTest, AnExhaustedQuotaLosesNothing) {
  const std::vector<testing::Row> rows = Rows("courses", People(40, 8));
  Exhausted exhausted(holder_, 150);
  const auto refused = Prepare(*education_, "courses", "c1", rows, exhausted, /*batch=*/50);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted, "over the budget for tokens"));
  EXPECT_EQ(common::ReasonOf(refused.status()), "QUOTA_EXHAUSTED");
  EXPECT_EQ(holder_.debited, 150u);
  // With more budget the same delivery goes on where it stopped.
  const auto state = Prepare(*education_, "courses", "c1", rows, holder_, /*batch=*/50);
  SLUIS_ASSERT_OK(state);
  std::set<std::string> distinct;
  for (const KeyHolder::Call& call : holder_.calls) {
    for (std::size_t i = 0; i < call.blinded.size(); i += 32) distinct.insert(call.blinded.substr(i, 32));
  }
  EXPECT_EQ(holder_.debited, distinct.size()) << "a token was debited twice";
  // Two chunks are under way at a time: one that was answered beside the refused one is asked again, without a debit.
  EXPECT_GE(state->tokens_evaluated + 150, distinct.size());
  EXPECT_LE(state->tokens_evaluated + 150, distinct.size() + 50);
}

// The run dies when an answer is lost (after the debit), and once more after all were stored, before the spool is
// there.
TEST_F(EncodeRowsTest, ResumesAfterACrashWithoutASecondDebit) {
  const std::vector<testing::Row> rows = Rows("persons", People(40, 9));
  holder_.fault = KeyHolder::Fault::kLosesTheAnswer;
  for (std::size_t lost = 1; lost <= 5; ++lost) {
    holder_.fail_at_call = holder_.calls.size() + lost;
    EXPECT_THAT(Prepare(*population_, "persons", "p1", rows, holder_, /*batch=*/60),
                StatusIs(absl::StatusCode::kUnavailable, "lost"));
  }
  holder_.fault = KeyHolder::Fault::kNone;
  const DeliveryName name = Name("persons", "p1");
  {
    testing::VectorSource source(rows);
    PseudonymiseOptions options;
    options.batch = 60;
    SLUIS_ASSERT_OK(Pseudonymise(permit_, name, source, holder_, *population_->cache, *spill_, options));
  }
  const std::uint64_t debited = holder_.debited;
  const std::size_t calls = holder_.calls.size();
  const auto state = Prepare(*population_, "persons", "p1", rows, holder_, /*batch=*/60);
  SLUIS_ASSERT_OK(state);
  EXPECT_EQ(holder_.calls.size(), calls);
  std::set<std::string> distinct;
  for (const KeyHolder::Call& call : holder_.calls) {
    for (std::size_t i = 0; i < call.blinded.size(); i += 32) distinct.insert(call.blinded.substr(i, 32));
  }
  EXPECT_EQ(debited, distinct.size());
  // Another custodian, without any crash, has the same but for the noise: no record lost its encoding.
  EXPECT_EQ(Encodings(*population_, *state).size(), 40u);
}

TEST_F(EncodeRowsTest, LeavesNoValueReadableOnDisk) {
  const std::vector<Person> people = People(200, 10);
  std::vector<testing::Row> rows = Rows("courses", people);
  testing::VectorSource source(rows);
  const common::SecretBytes noise_key = NoiseKey(education_->local_key, permit_.id);
  const auto search = [&] {
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
      if (entry.is_directory()) continue;
      ++files;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(in), {});
      for (const Person& p : people) {
        for (const std::string& secret : {p.surname, p.birth_date, p.postcode}) {
          EXPECT_EQ(bytes.find(secret), std::string::npos) << entry.path();
        }
      }
    }
    EXPECT_GT(files, 0);
  };
  PseudonymiseOptions options;
  auto pseudonymised =
      Pseudonymise(permit_, Name("courses", "c1"), source, holder_, *education_->cache, *spill_, options);
  SLUIS_ASSERT_OK(pseudonymised);
  search();  // the spill holds the values now
  SealOptions seal;
  seal.noise_key = &noise_key;
  SpoolHeader header;
  header.permit_id = permit_.id;
  header.permit_sha256 = permit_.sha256;
  header.register_name = "courses";
  header.delivery_id = "c1";
  SLUIS_ASSERT_OK(SealAndShuffle(permit_, header, *pseudonymised, *education_->cache, *spill_, random_,
                                 education_->states.SpoolPath("courses", "c1"), education_->states.spool_key(), seal));
  search();
}

TEST_F(EncodeRowsTest, DryRunCountsTokensAndBytesExactly) {
  const std::vector<testing::Row> rows = Rows("courses", People(25, 11));
  SLUIS_ASSERT_OK(Prepare(*education_, "courses", "c0", {rows.begin(), rows.begin() + 10}, holder_));
  const std::uint64_t cached = holder_.debited;
  testing::VectorSource source(rows);
  const auto report = DryRun(permit_, "courses", source, *education_->cache, *spill_);
  SLUIS_ASSERT_OK(report);
  EXPECT_EQ(holder_.debited, cached) << "a dry run asked the key holder";
  ASSERT_EQ(report->purposes.size(), 1u);
  EXPECT_EQ(report->purposes[0].name, "tokens");
  EXPECT_EQ(report->purposes[0].cached, cached);
  EXPECT_EQ(report->purposes[0].delivery_budget, 200'000u + 4 * 1'000'000);
  EXPECT_EQ(report->encoding_bytes, 128u);
  EXPECT_EQ(report->features, (std::vector<std::string>{"surname", "birth_date", "sex", "postcode"}));
  EXPECT_EQ(report->bytes_to_linker, 25u * (128 + report->row_bytes));
  const auto state = Prepare(*education_, "courses", "c1", rows, holder_);
  SLUIS_ASSERT_OK(state);
  EXPECT_EQ(report->purposes[0].distinct - report->purposes[0].cached, state->tokens_evaluated);
  EXPECT_EQ(report->bytes_to_key_holder, state->tokens_evaluated * 32);
}

TEST_F(EncodeRowsTest, NamesRowAndFeatureOfABadValueAndNeverTheValue) {
  std::vector<testing::Row> rows = Rows("courses", People(3, 12));
  rows[2].features[1] = "secret\xff";
  const auto malformed = Prepare(*education_, "courses", "c1", rows, holder_);
  EXPECT_THAT(malformed, StatusIs(absl::StatusCode::kInvalidArgument, "row 3: feature surname"));
  EXPECT_EQ(std::string(malformed.status().message()).find("secret"), std::string::npos);
  rows[2].features[1] = std::string(1025, 'a');
  EXPECT_THAT(Prepare(*education_, "courses", "c2", rows, holder_),
              StatusIs(absl::StatusCode::kInvalidArgument, "row 3: feature surname: a value has more than 1024 bytes"));
  rows[2].features.pop_back();
  EXPECT_THAT(Prepare(*education_, "courses", "c3", rows, holder_),
              StatusIs(absl::StatusCode::kInvalidArgument, "4 features, the permit wants 8, 0 and 5"));
}

TEST_F(EncodeRowsTest, RefusesAPermitWithoutTheTokensKeyAndAWorkshopWithoutTheNoiseKey) {
  testing::VectorSource source(Rows("courses", People(2, 13)));
  auto rows = Pseudonymise(permit_, Name("courses", "c1"), source, holder_, *education_->cache, *spill_, {});
  SLUIS_ASSERT_OK(rows);
  SpoolHeader header;
  header.register_name = "courses";
  EXPECT_THAT(SealAndShuffle(permit_, header, *rows, *education_->cache, *spill_, random_, root_ + "/spool",
                             education_->states.spool_key(), {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "noise key"));
  permit_.oprf_public_keys.erase("tokens");
  EXPECT_THAT(Prepare(*education_, "courses", "c2", {}, holder_),
              StatusIs(absl::StatusCode::kPermissionDenied, "the public key of its tokens"));
}

TEST(NoiseKey, IsOfCustodianAndProject) {
  const common::SecretBytes a = common::SecretBytes::Random(32), b = common::SecretBytes::Random(32);
  const auto text = [](const common::SecretBytes& key) { return std::string(common::AsChars(key.ExposeForUse())); };
  EXPECT_EQ(text(NoiseKey(a, "p")), text(NoiseKey(a, "p")));
  EXPECT_NE(text(NoiseKey(a, "p")), text(NoiseKey(a, "q")));
  EXPECT_NE(text(NoiseKey(a, "p")), text(NoiseKey(b, "p")));
}

}  // namespace
}  // namespace sluis::cli
