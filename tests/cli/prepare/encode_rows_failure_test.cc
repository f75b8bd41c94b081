#include "tests/cli/prepare/encode_rows_fixture.h"

namespace sluis::cli {
namespace {

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
