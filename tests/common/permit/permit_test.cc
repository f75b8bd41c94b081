#include "common/permit/permit.h"

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using testing::StatusIs;

TEST(Calendar, ParsesAndFormatsDaysOfSeveralCenturies) {
  for (const char* text : {"1899-12-31", "1970-01-01", "2000-02-29", "2024-02-29", "2026-09-30", "2100-03-01"}) {
    const auto day = ParseDay(text);
    SLUIS_ASSERT_OK(day);
    EXPECT_EQ(FormatDay(*day), text);
    EXPECT_EQ(FromCivil(ToCivil(*day)), *day);
  }
  EXPECT_EQ(*ParseDay("1970-01-01"), 0);
  EXPECT_EQ(*ParseDay("2000-03-01"), 11017);
}

TEST(Calendar, RefusesWhatIsNoDay) {
  for (const char* text :
       {"", "2026-9-30", "2026-02-29", "2026-13-01", "2026-00-10", "20260930", "2026-09-30 ", "2026/09/30"}) {
    EXPECT_THAT(ParseDay(text), StatusIs(absl::StatusCode::kInvalidArgument, "yyyy-mm-dd")) << text;
  }
}

TEST(Calendar, CountsCompletedYears) {
  const auto age = [](const char* birth, const char* on) { return AgeInYears(*ParseDay(birth), *ParseDay(on)); };
  EXPECT_EQ(age("2000-09-30", "2026-09-29"), 25);
  EXPECT_EQ(age("2000-09-30", "2026-09-30"), 26);
  EXPECT_EQ(age("2000-02-29", "2026-02-28"), 25);
  EXPECT_EQ(age("2000-02-29", "2026-03-01"), 26);
  EXPECT_EQ(age("2026-09-30", "2026-09-30"), 0);
}

TEST(AgeClassCodes, NamesClosedAndOpenClasses) {
  EXPECT_EQ(AgeClassCodes({0, 15, 25, 75}), (std::vector<std::string>{"Y0-14", "Y15-24", "Y25-74", "Y_GE75"}));
}

TEST(PermitRegister, RowWidthIsTheSumOfTheFieldWidths) {
  PermitRegister r;
  for (const FieldType type : {FieldType::kCode, FieldType::kDate, FieldType::kInteger, FieldType::kToken}) {
    r.fields.emplace_back().type = type;
  }
  EXPECT_EQ(r.RowWidth(), 2u + 4u + 8u + 8u);
}

Permit TwoRegisters() {
  Permit permit;
  permit.id = "p";
  permit.match_keys = {{"bsn", "identifiers", {}}, {"name", "match-keys", {}}};
  PermitRegister persons;
  persons.custodian = "spiffe://x/custodian/a";
  persons.match_keys = {"bsn", "name"};
  persons.max_records = 100;
  PermitRegister jobs = persons;
  jobs.max_records = 1000;
  jobs.match_keys = {"bsn"};
  PermitRegister other = jobs;
  other.custodian = "spiffe://x/custodian/b";
  permit.registers = {persons, jobs, other};
  return permit;
}

TEST(EvaluationBudget, AddsRegistersAndKeysOfTheCustodianWithTenPercentToSpare) {
  const Permit permit = TwoRegisters();
  EXPECT_EQ(permit.EvaluationBudget("spiffe://x/custodian/a", "identifiers"), 110u + 1100u);
  EXPECT_EQ(permit.EvaluationBudget("spiffe://x/custodian/a", "match-keys"), 110u);
  EXPECT_EQ(permit.EvaluationBudget("spiffe://x/custodian/b", "identifiers"), 1100u);
  EXPECT_EQ(permit.EvaluationBudget("spiffe://x/custodian/c", "identifiers"), 0u);
}

TEST(DeliveryBudget, IsTheRegistersPartOfTheBudget) {
  const Permit permit = TwoRegisters();
  std::uint64_t sum = 0;
  for (const PermitRegister& reg : permit.registers) {
    if (reg.custodian == "spiffe://x/custodian/a") sum += permit.DeliveryBudget(reg, "identifiers");
  }
  EXPECT_EQ(sum, permit.EvaluationBudget("spiffe://x/custodian/a", "identifiers"));
  EXPECT_EQ(permit.DeliveryBudget(permit.registers[0], "identifiers"), 110u);
  EXPECT_EQ(permit.DeliveryBudget(permit.registers[0], "elsewhere"), 0u);
}

TEST(DeliveryBudget, OfTokensIsForTakersPartOnlyAndBounded) {
  Permit permit = TwoRegisters();
  PermitRegister& persons = permit.registers[0];
  persons.features = {{"surname", "surname"}, {"birth_date", "birth_date"}};
  EXPECT_EQ(permit.DeliveryBudget(persons, kPurposeTokens), 0u) << "without similarity";
  permit.similarity.emplace();
  EXPECT_EQ(permit.DeliveryBudget(persons, kPurposeTokens), 200'000u + 2 * 100);
  EXPECT_EQ(permit.DeliveryBudget(permit.registers[1], kPurposeTokens), 0u);
  EXPECT_EQ(permit.EvaluationBudget("spiffe://x/custodian/a", kPurposeTokens), 200'000u + 2 * 100);
  EXPECT_EQ(permit.EvaluationBudget("spiffe://x/custodian/b", kPurposeTokens), 0u);
  EXPECT_EQ(permit.DeliveryBudget(persons, "identifiers"), 110u);
  persons.max_records = 1'000'000'000;
  EXPECT_EQ(permit.DeliveryBudget(persons, kPurposeTokens), 10'000'000u);
}

TEST(DeliveryId, CanBeAFileName) {
  for (const char* const good : {"a", "A", "7", "jobs-2026.10_B", "x.state"}) EXPECT_TRUE(IsDeliveryId(good)) << good;
  EXPECT_TRUE(IsDeliveryId(std::string(63, 'x')));
  EXPECT_FALSE(IsDeliveryId(std::string(64, 'x')));
  for (const char* const bad : {"", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a\n", "\xc3\xa9"}) {
    EXPECT_FALSE(IsDeliveryId(bad)) << bad;
  }
}

TEST(CheckPermitDates, RefusesBeforeAndAfter) {
  Permit permit;
  permit.id = "p";
  permit.not_before = 100;
  permit.not_after = 200;
  EXPECT_EQ(ReasonOf(CheckPermitDates(permit, 99)), "PERMIT_NOT_YET_VALID");
  SLUIS_EXPECT_OK(CheckPermitDates(permit, 100));
  SLUIS_EXPECT_OK(CheckPermitDates(permit, 200));
  EXPECT_EQ(ReasonOf(CheckPermitDates(permit, 201)), "PERMIT_EXPIRED");
}

TEST(CheckRetention, RefusesAfterTheLastDay) {
  Permit permit;
  permit.id = "p";
  permit.retention_end = 200;
  SLUIS_EXPECT_OK(CheckRetention(permit, 200));
  EXPECT_EQ(ReasonOf(CheckRetention(permit, 201)), "RETENTION_ENDED");
  EXPECT_FALSE(RetentionEnded(permit, 200));
  EXPECT_TRUE(RetentionEnded(permit, 201));
}

class Approvals : public ::testing::Test {
 protected:
  Approvals() {
    for (int i = 0; i < 3; ++i) {
      keys_.push_back(SigningKey::Generate());
      approvers_.push_back({std::string(1, static_cast<char>('a' + i)), keys_.back().public_key});
    }
  }
  std::string SignedBy(int i) const { return Sign(keys_[static_cast<std::size_t>(i)], ApprovalMessage(document_)); }

  const std::string document_ = "id: p\n";
  Permit permit_;
  std::vector<SigningKey> keys_;
  std::vector<Approver> approvers_;
};

TEST_F(Approvals, TheServiceOrThePermitMayAskForMoreButNoneForFewer) {
  permit_.required_approvals = 1;
  EXPECT_EQ(ReasonOf(VerifyApprovals(document_, permit_, approvers_, 2, {{"a", SignedBy(0)}})), "PERMIT_UNSIGNED");
  SLUIS_EXPECT_OK(VerifyApprovals(document_, permit_, approvers_, 2, {{"a", SignedBy(0)}, {"b", SignedBy(1)}}));
  permit_.required_approvals = 3;
  EXPECT_THAT(VerifyApprovals(document_, permit_, approvers_, 2, {{"a", SignedBy(0)}, {"b", SignedBy(1)}}),
              StatusIs(absl::StatusCode::kPermissionDenied, "has 2 valid approvals"));
  permit_.required_approvals = 0;
  EXPECT_FALSE(VerifyApprovals(document_, permit_, approvers_, 0, {}).ok());
}

TEST_F(Approvals, CountsNeitherForeignNorBorrowedNorRepeatedSignatures) {
  const SigningKey stranger = SigningKey::Generate();
  EXPECT_FALSE(
      VerifyApprovals(document_, permit_, approvers_, 1, {{"a", Sign(stranger, ApprovalMessage(document_))}}).ok());
  EXPECT_FALSE(VerifyApprovals(document_, permit_, approvers_, 1, {{"b", SignedBy(0)}}).ok());
  EXPECT_FALSE(VerifyApprovals(document_ + " ", permit_, approvers_, 1, {{"a", SignedBy(0)}}).ok());
  // The bare document without its context does not count as approved.
  EXPECT_FALSE(VerifyApprovals(document_, permit_, approvers_, 1, {{"a", Sign(keys_[0], document_)}}).ok());
  // One officer under two names is one approval.
  std::vector<Approver> twice = {approvers_[0], {"z", approvers_[0].public_key}};
  EXPECT_FALSE(VerifyApprovals(document_, permit_, twice, 2, {{"a", SignedBy(0)}, {"z", SignedBy(0)}}).ok());
}

}  // namespace
}  // namespace sluis::common
