#include "keys/server/project_keys.h"

#include <map>
#include <memory>

#include "common/crypto/crypto.h"
#include "common/entry/entry.h"
#include "common/file/atomic_file.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "keys/oprf/client.h"
#include "tests/common/store/temporary_directory.h"

namespace sluis::keys {
namespace {

using absl::StatusCode;
using common::KeyEntry;
using common::KeyState;
using common::testing::StatusIs;
namespace entry_type = common::entry_type;

constexpr std::int64_t kNow = 1'790'000'000;
constexpr char kProject[] = "integration";
constexpr QuotaBudget kBudget{.account = 100, .delivery = 100};

class ProjectKeysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SLUIS_ASSERT_OK(common::Metrics::Open("", metrics_));
    SLUIS_ASSERT_OK(common::WriteFileAtomically(directory_ / "unlock", std::string(32, 'u'), 0400));
    auto keystore = common::Keystore::Create(directory_ / "keystore", Unlock());
    SLUIS_ASSERT_OK(keystore);
    keystore_ = *std::move(keystore);
    Restart();
  }
  common::UnlockSource Unlock() const { return common::UnlockSource::KeyFile(directory_ / "unlock"); }

  // As after the death of the process: what is on disk, and nothing else.
  void Restart() {
    keystore_.reset();
    auto keystore = common::Keystore::Open(directory_ / "keystore", Unlock());
    SLUIS_ASSERT_OK(keystore);
    keystore_ = *std::move(keystore);
    log_.reset();
    auto writer = common::LogWriter::Open(*store_, "example/keys", common::SigningKey::FromSeed(seed_), "");
    SLUIS_ASSERT_OK(writer);
    auto log = common::ServiceLog::Open(*std::move(writer), *metrics_);
    SLUIS_ASSERT_OK(log);
    log_ = *std::move(log);
    custody_ = std::make_unique<KeyCustody>(ledger_);
  }
  KeyRecords Records() { return {*keystore_, *log_}; }

  KeyEntry Create(const std::string& project, const std::string& purpose) {
    const auto key = CreateProjectKey(Records(), project, purpose, kNow);
    EXPECT_THAT(key, common::testing::IsOk());
    return key.ok() ? *key : KeyEntry();
  }
  // As a create-key that died between keystore and log.
  KeyEntry AddUnlogged(const std::string& purpose) {
    const KeyPair pair = KeyPair::Generate();
    KeyEntry entry;
    entry.id = std::string(kProject) + "/" + purpose;
    entry.project = kProject;
    entry.purpose = purpose;
    entry.algorithm = common::KeyAlgorithm::kRistretto255Scalar;
    entry.public_key = std::string(common::AsChars(pair.public_key()));
    const auto added = keystore_->Add(entry, pair.secret_scalar());
    EXPECT_THAT(added, common::testing::IsOk());
    return entry;
  }
  std::map<std::string, int> LoggedTypes() const {
    std::map<std::string, int> types;
    for (std::uint64_t i = 0; i < log_->writer().size(); ++i) {
      ++types[common::ParseEntry(*log_->writer().Entry(i))->type];
    }
    return types;
  }
  bool IsLogged(const char* type, const KeyEntry& key) const {
    return log_
        ->Find(type,
               {{"project", key.project}, {"purpose", key.purpose}, {"public_key", common::HexEncode(key.public_key)}})
        ->has_value();
  }
  absl::Status Evaluate(const std::string& project) {
    const std::vector<std::string> inputs = {"a", "b"};
    const auto batch = Blind(inputs);
    EXPECT_THAT(batch, common::testing::IsOk());
    return custody_
        ->EvaluateChunk({.account = {"spiffe://x/custodian/a", project, kPurposeIdentifiers},
                         .delivery_id = "jobs/d1",
                         .chunk_number = chunk_++,
                         .blinded = batch->elements()},
                        kBudget)
        .status();
  }
  static common::Permit PermitOf(const std::vector<KeyEntry>& keys, common::Day retention_end) {
    common::Permit permit;
    permit.id = keys.front().project;
    permit.retention_end = retention_end;
    permit.sha256[0] = 5;
    for (const KeyEntry& key : keys) {
      std::ranges::copy(key.public_key, permit.oprf_public_keys[key.purpose].begin());
    }
    return permit;
  }
  absl::Status End(const common::Permit& permit, common::Day today) {
    return EndRetention(permit, Records(), *custody_, ledger_, today, kNow);
  }

  common::testing::TemporaryDirectory directory_;
  const common::SecretBytes seed_ = common::SecretBytes::Random(32);
  std::unique_ptr<common::Store> store_ = [] {
    std::vector<std::string> families = common::LogFamilies();
    families.emplace_back(kQuotaFamily);
    return common::MakeMemoryStore(families);
  }();
  std::unique_ptr<common::Metrics> metrics_;
  std::unique_ptr<common::Keystore> keystore_;
  std::unique_ptr<common::ServiceLog> log_;
  QuotaLedger ledger_{*store_};
  std::unique_ptr<KeyCustody> custody_;
  std::uint32_t chunk_ = 0;
};

TEST_F(ProjectKeysTest, CreatesAKeyAndLogsIt) {
  const KeyEntry key = Create(kProject, kPurposeIdentifiers);
  EXPECT_TRUE(IsLogged(entry_type::kKeyCreated, key));
  EXPECT_EQ(keystore_->Find(kProject, kPurposeIdentifiers)->public_key, key.public_key);
  const auto again = CreateProjectKey(Records(), kProject, kPurposeIdentifiers, kNow);
  EXPECT_THAT(again, StatusIs(StatusCode::kAlreadyExists, common::Base64Encode(key.public_key)));
  EXPECT_NE(Create(kProject, kPurposeMatchKeys).public_key, key.public_key);
  EXPECT_EQ(LoggedTypes(), (std::map<std::string, int>{{"key-created", 2}}));
  EXPECT_THAT(CreateProjectKey(Records(), "Upper", kPurposeIdentifiers, kNow),
              StatusIs(StatusCode::kInvalidArgument, "project must"));
}

// Encodings under two keys cannot be compared, so there is no second one; after destruction there is none at all.
TEST_F(ProjectKeysTest, KeepsOneKeyForTokensForEver) {
  const KeyEntry key = Create(kProject, "tokens");
  const auto second = CreateProjectKey(Records(), kProject, "tokens", kNow);
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kAlreadyExists, "it is not rotated"));
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kAlreadyExists, common::Base64Encode(key.public_key)));
  EXPECT_NE(Create("another-project", "tokens").public_key, key.public_key);
  SLUIS_ASSERT_OK(DestroyProjectKeys(Records(), kProject, kNow));
  EXPECT_EQ(common::ReasonOf(CreateProjectKey(Records(), kProject, "tokens", kNow).status()), "KEY_DESTROYED");
}

TEST_F(ProjectKeysTest, LogsAtTheNextStartAKeyThatACrashLeftWithoutAnEntry) {
  const KeyEntry key = AddUnlogged(kPurposeIdentifiers);
  Restart();
  EXPECT_FALSE(IsLogged(entry_type::kKeyCreated, key));
  const auto completed = CompleteKeyChanges(Records(), kNow);
  SLUIS_ASSERT_OK(completed);
  ASSERT_EQ(completed->size(), 1u);
  EXPECT_TRUE(IsLogged(entry_type::kKeyCreated, key));
  Restart();
  EXPECT_TRUE(CompleteKeyChanges(Records(), kNow)->empty());
  EXPECT_EQ(LoggedTypes(), (std::map<std::string, int>{{"key-created", 1}}));
}

TEST_F(ProjectKeysTest, FinishesTheCreationThatACrashInterrupted) {
  const KeyEntry key = AddUnlogged(kPurposeIdentifiers);
  Restart();
  EXPECT_EQ(Create(kProject, kPurposeIdentifiers).public_key, key.public_key);
  EXPECT_TRUE(IsLogged(entry_type::kKeyCreated, key));
  EXPECT_THAT(CreateProjectKey(Records(), kProject, kPurposeIdentifiers, kNow),
              StatusIs(StatusCode::kAlreadyExists, ""));
  EXPECT_EQ(LoggedTypes(), (std::map<std::string, int>{{"key-created", 1}}));
}

TEST_F(ProjectKeysTest, DestroysAllKeysOfAProjectAndNoOthers) {
  const KeyEntry first = Create(kProject, kPurposeIdentifiers);
  const KeyEntry second = Create(kProject, kPurposeMatchKeys);
  const KeyEntry other = Create("elsewhere", kPurposeIdentifiers);
  EXPECT_THAT(DestroyProjectKeys(Records(), "unknown", kNow), StatusIs(StatusCode::kNotFound, "has no key here"));
  const std::string before = *common::ReadFileBounded(directory_ / "keystore", 1 << 20);
  const auto destroyed = DestroyProjectKeys(Records(), kProject, kNow);
  SLUIS_ASSERT_OK(destroyed);
  EXPECT_EQ(destroyed->size(), 2u);
  for (const KeyEntry& key : {first, second}) {
    EXPECT_THAT(keystore_->Secret(key.id), StatusIs(StatusCode::kFailedPrecondition, "destroyed"));
    EXPECT_TRUE(IsLogged(entry_type::kKeyDestroyed, key));
  }
  EXPECT_FALSE(IsLogged(entry_type::kKeyDestroyed, other));
  // Again: nothing more is said.
  EXPECT_EQ(DestroyProjectKeys(Records(), kProject, kNow)->size(), 2u);
  EXPECT_EQ(LoggedTypes(), (std::map<std::string, int>{{"key-created", 3}, {"key-destroyed", 2}}));
  Restart();
  EXPECT_LT(common::ReadFileBounded(directory_ / "keystore", 1 << 20)->size(), before.size());
  SLUIS_ASSERT_OK(LoadKeys(*keystore_, *custody_));
  const absl::Status refused = Evaluate(kProject);
  EXPECT_EQ(common::ReasonOf(refused), "KEY_DESTROYED");
  SLUIS_EXPECT_OK(Evaluate("elsewhere"));
  EXPECT_THAT(CreateProjectKey(Records(), kProject, kPurposeIdentifiers, kNow),
              StatusIs(StatusCode::kFailedPrecondition, "not made anew"));
  // A service with the project's permit still starts for the others.
  SLUIS_EXPECT_OK(CheckPermitKeys(PermitOf({first, second}, 0), *keystore_));
}

TEST_F(ProjectKeysTest, CompletesADestructionThatACrashInterrupted) {
  const KeyEntry first = Create(kProject, kPurposeIdentifiers);
  const KeyEntry second = Create(kProject, kPurposeMatchKeys);
  SLUIS_ASSERT_OK(keystore_->Destroy(first.id));
  Restart();
  SLUIS_ASSERT_OK(CompleteKeyChanges(Records(), kNow));
  for (const KeyEntry& key : {first, second}) EXPECT_TRUE(IsLogged(entry_type::kKeyDestroyed, key));
  EXPECT_THAT(keystore_->Secret(second.id), StatusIs(StatusCode::kFailedPrecondition, "destroyed"));
  EXPECT_EQ(LoggedTypes(), (std::map<std::string, int>{{"key-created", 2}, {"key-destroyed", 2}}));
}

TEST_F(ProjectKeysTest, EndsRetentionOnTheDayAfterItsEnd) {
  const KeyEntry first = Create(kProject, kPurposeIdentifiers);
  const KeyEntry second = Create(kProject, kPurposeMatchKeys);
  Create("elsewhere", kPurposeIdentifiers);
  SLUIS_ASSERT_OK(LoadKeys(*keystore_, *custody_));
  const common::Permit permit = PermitOf({first, second}, 100);
  SLUIS_ASSERT_OK(Evaluate(kProject));
  SLUIS_ASSERT_OK(Evaluate("elsewhere"));
  SLUIS_ASSERT_OK(End(permit, 100));  // the last day
  SLUIS_EXPECT_OK(Evaluate(kProject));
  EXPECT_EQ(LoggedTypes().count("retention"), 0u);

  SLUIS_ASSERT_OK(End(permit, 101));
  EXPECT_EQ(common::ReasonOf(Evaluate(kProject)), "KEY_DESTROYED");
  SLUIS_EXPECT_OK(Evaluate("elsewhere"));
  EXPECT_THAT(keystore_->Secret(first.id), StatusIs(StatusCode::kFailedPrecondition, "destroyed"));
  EXPECT_EQ(ledger_.Usage({"spiffe://x/custodian/a", kProject, kPurposeIdentifiers})->elements, 0u);
  EXPECT_EQ(ledger_.Usage({"spiffe://x/custodian/a", "elsewhere", kPurposeIdentifiers})->elements, 4u);
  const auto entry = log_->Find(entry_type::kRetention, {{"project", std::string(kProject)}});
  ASSERT_TRUE(entry.ok() && entry->has_value());
  EXPECT_EQ(common::ParseEntry(**entry)->Number("keys"), 2);
  EXPECT_EQ(common::ParseEntry(**entry)->Text("permit_sha256"), common::HexOf(permit.sha256));

  SLUIS_ASSERT_OK(End(permit, 102));
  Restart();
  SLUIS_ASSERT_OK(LoadKeys(*keystore_, *custody_));
  SLUIS_ASSERT_OK(End(permit, 103));
  EXPECT_EQ(LoggedTypes(), (std::map<std::string, int>{{"key-created", 3}, {"key-destroyed", 2}, {"retention", 1}}));
}

// Whatever part of it was done before a crash, the next start does the rest.
TEST_F(ProjectKeysTest, EndsRetentionAfterACrashInItsMidst) {
  const KeyEntry key = Create(kProject, kPurposeIdentifiers);
  SLUIS_ASSERT_OK(LoadKeys(*keystore_, *custody_));
  SLUIS_ASSERT_OK(Evaluate(kProject));
  SLUIS_ASSERT_OK(DestroyProjectKeys(Records(), kProject, kNow));
  Restart();
  SLUIS_ASSERT_OK(LoadKeys(*keystore_, *custody_));
  SLUIS_ASSERT_OK(End(PermitOf({key}, 100), 101));
  EXPECT_EQ(ledger_.Usage({"spiffe://x/custodian/a", kProject, kPurposeIdentifiers})->elements, 0u);
  EXPECT_EQ(LoggedTypes(), (std::map<std::string, int>{{"key-created", 1}, {"key-destroyed", 1}, {"retention", 1}}));
}

TEST_F(ProjectKeysTest, RefusesAPermitWithOtherKeysThanThoseHeld) {
  const KeyEntry key = Create(kProject, kPurposeIdentifiers);
  common::Permit permit = PermitOf({key}, 100);
  SLUIS_EXPECT_OK(CheckPermitKeys(permit, *keystore_));
  permit.oprf_public_keys[kPurposeMatchKeys] = {};
  EXPECT_EQ(common::ReasonOf(CheckPermitKeys(permit, *keystore_)), "KEY_ABSENT");
  permit.oprf_public_keys.erase(kPurposeMatchKeys);
  permit.oprf_public_keys[kPurposeIdentifiers][0] ^= 1;
  EXPECT_EQ(common::ReasonOf(CheckPermitKeys(permit, *keystore_)), "KEY_MISMATCH");
}

}  // namespace
}  // namespace sluis::keys
