#include "common/keystore/keystore.h"

#include <sodium.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/common/file/fault_calls.h"
#include "tests/common/store/temporary_directory.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::FaultAction;
using ::sluis::common::testing::ScopedFault;
using ::sluis::common::testing::StatusIs;
using ::sluis::common::testing::TemporaryDirectory;

UnlockSource Passphrase(const std::string& passphrase = "correct horse") {
  return UnlockSource::Passphrase(SecretBytes::CopyOf(AsBytes(passphrase)), PassphraseCost::Cheapest());
}

SecretBytes FixedSecret(std::uint8_t byte) { return SecretBytes::CopyOf(std::vector<std::uint8_t>(32, byte)); }

KeyEntry AeadEntry(const std::string& id, const std::string& purpose = "records") {
  KeyEntry entry;
  entry.id = id;
  entry.project = "integration-2025";
  entry.purpose = purpose;
  entry.created_unix_seconds = 1'735'689'600;
  return entry;
}

class KeystoreTest : public ::testing::Test {
 protected:
  std::string Path() const { return directory_ / "keys"; }
  absl::StatusOr<std::unique_ptr<Keystore>> Open() { return Keystore::Open(Path(), Passphrase()); }
  // A keystore with the key "a", closed again.
  void CreateWithOneKey() {
    auto keystore = Keystore::Create(Path(), Passphrase());
    SLUIS_ASSERT_OK(keystore);
    SLUIS_ASSERT_OK((*keystore)->Add(AeadEntry("a"), FixedSecret(0xa1)));
  }
  // The same without the system calls of making it: for tests that begin anew at each call.
  void RestoreWithOneKey() {
    if (one_key_.empty()) {
      CreateWithOneKey();
      one_key_ = *ReadFileBounded(Path(), 10'000);
    }
    std::filesystem::remove(Path() + ".old");
    std::ofstream(Path(), std::ios::binary | std::ios::trunc) << one_key_;
  }
  std::size_t FileCount() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory_.path()), std::filesystem::directory_iterator()));
  }
  TemporaryDirectory directory_;
  std::string one_key_;  // bytes of a keystore with the key "a"
};

TEST_F(KeystoreTest, KeepsKeysOfEveryAlgorithmOverReopening) {
  KeyEntry scalar = AeadEntry("oprf", "pseudonyms");
  scalar.algorithm = KeyAlgorithm::kRistretto255Scalar;
  SecretBytes scalar_secret(32);
  crypto_core_ristretto255_scalar_random(scalar_secret.ExposeForFilling().data());
  scalar.public_key.resize(32);
  ASSERT_EQ(crypto_scalarmult_ristretto255_base(reinterpret_cast<unsigned char*>(scalar.public_key.data()),
                                                scalar_secret.ExposeForUse().data()),
            0);
  KeyEntry signing = AeadEntry("signing", "log");
  signing.algorithm = KeyAlgorithm::kEd25519Seed;
  const SigningKey signing_key = SigningKey::FromSeed(FixedSecret(3));
  signing.public_key = AsChars(signing_key.public_key);
  KeyEntry sealing = AeadEntry("sealing", "gate");
  sealing.algorithm = KeyAlgorithm::kX25519Secret;
  const SealingKeyPair pair = SealingKeyPair::Generate();
  sealing.public_key = AsChars(pair.public_key);
  {
    auto keystore = Keystore::Create(Path(), Passphrase());
    SLUIS_ASSERT_OK(keystore);
    SLUIS_ASSERT_OK((*keystore)->Add(scalar, scalar_secret));
    SLUIS_ASSERT_OK((*keystore)->Add(signing, FixedSecret(3)));
    SLUIS_ASSERT_OK((*keystore)->Add(sealing, pair.secret_key));
    SLUIS_ASSERT_OK((*keystore)->Add(AeadEntry("data"), FixedSecret(9)));
  }
  auto keystore = Open();
  SLUIS_ASSERT_OK(keystore);
  ASSERT_EQ((*keystore)->List().size(), 4u);
  const auto found = (*keystore)->Find("integration-2025", "pseudonyms");
  SLUIS_ASSERT_OK(found);
  EXPECT_EQ(found->id, "oprf");
  EXPECT_EQ(found->algorithm, KeyAlgorithm::kRistretto255Scalar);
  EXPECT_EQ(found->public_key, scalar.public_key);
  EXPECT_EQ(found->created_unix_seconds, 1'735'689'600);
  EXPECT_EQ(AsChars((*keystore)->Secret("oprf")->ExposeForUse()), AsChars(scalar_secret.ExposeForUse()));
  EXPECT_EQ(AsChars((*keystore)->Secret("signing")->ExposeForUse()), AsChars(FixedSecret(3).ExposeForUse()));
  EXPECT_EQ(AsChars((*keystore)->Secret("sealing")->ExposeForUse()), AsChars(pair.secret_key.ExposeForUse()));
  EXPECT_EQ(AsChars((*keystore)->Secret("data")->ExposeForUse()), AsChars(FixedSecret(9).ExposeForUse()));
  EXPECT_THAT((*keystore)->Secret("none"), StatusIs(absl::StatusCode::kNotFound, "no key"));
  EXPECT_THAT((*keystore)->Find("integration-2025", "none"), StatusIs(absl::StatusCode::kNotFound, "no active key"));
}

TEST_F(KeystoreTest, FindsTheNewestActiveVersion) {
  auto keystore = Keystore::Create(Path(), Passphrase());
  SLUIS_ASSERT_OK(keystore);
  EXPECT_EQ((*keystore)->Add(AeadEntry("k1"), FixedSecret(1))->version, 1u);
  EXPECT_EQ((*keystore)->Add(AeadEntry("k2"), FixedSecret(2))->version, 2u);
  EXPECT_EQ((*keystore)->Add(AeadEntry("other", "elsewhere"), FixedSecret(3))->version, 1u);
  EXPECT_EQ((*keystore)->Find("integration-2025", "records")->id, "k2");
  SLUIS_ASSERT_OK((*keystore)->Destroy("k2"));
  EXPECT_EQ((*keystore)->Find("integration-2025", "records")->id, "k1");
  EXPECT_EQ((*keystore)->Add(AeadEntry("k3"), FixedSecret(4))->version, 3u);
  EXPECT_THAT((*keystore)->Add(AeadEntry("k2"), FixedSecret(5)),
              StatusIs(absl::StatusCode::kAlreadyExists, "this id exists"));
}

TEST_F(KeystoreTest, DestroyRemovesTheSecretFromDiskAndKeepsTheRecord) {
  CreateWithOneKey();
  std::filesystem::create_hard_link(Path(), directory_ / "spy");
  const std::string before = *ReadFileBounded(Path(), 10'000);
  {
    auto keystore = Open();
    SLUIS_ASSERT_OK(keystore);
    SLUIS_ASSERT_OK((*keystore)->Destroy("a"));
    SLUIS_EXPECT_OK((*keystore)->Destroy("a"));
    EXPECT_THAT((*keystore)->Secret("a"), StatusIs(absl::StatusCode::kFailedPrecondition, "destroyed"));
    EXPECT_THAT((*keystore)->Destroy("b"), StatusIs(absl::StatusCode::kNotFound, "no key"));
  }
  // The old file was overwritten, not only unlinked.
  EXPECT_EQ(*ReadFileBounded(directory_ / "spy", 10'000), std::string(before.size(), '\0'));
  auto keystore = Open();
  SLUIS_ASSERT_OK(keystore);
  ASSERT_EQ((*keystore)->List().size(), 1u);
  EXPECT_EQ((*keystore)->List()[0].state, KeyState::kDestroyed);
  EXPECT_THAT((*keystore)->Secret("a"), StatusIs(absl::StatusCode::kFailedPrecondition, "destroyed"));
  // 32 bytes and the overhead of sealing are gone.
  EXPECT_EQ(ReadFileBounded(Path(), 10'000)->size(), before.size() - 32 - kAeadOverhead);
}

TEST_F(KeystoreTest, FilesAreForTheOwnerOnly) {
  const mode_t old_mask = umask(0);
  CreateWithOneKey();
  umask(old_mask);
  for (const auto& file : std::filesystem::directory_iterator(directory_.path())) {
    struct stat info {};
    ASSERT_EQ(stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u) << file.path();
  }
  ASSERT_EQ(chmod(Path().c_str(), 0640), 0);
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition, "owner only"));
}

TEST_F(KeystoreTest, NoSecretIsInTheFile) {
  CreateWithOneKey();
  EXPECT_EQ(ReadFileBounded(Path(), 10'000)->find(std::string(8, '\xa1')), std::string::npos);
}

TEST_F(KeystoreTest, AWrongPassphraseAndDamageGiveTheSameAnswer) {
  CreateWithOneKey();
  const auto wrong = Keystore::Open(Path(), Passphrase("wrong horse"));
  EXPECT_THAT(wrong, StatusIs(absl::StatusCode::kPermissionDenied, "passphrase or key file is wrong, or the file is"));
  std::string bytes = *ReadFileBounded(Path(), 10'000);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  SLUIS_ASSERT_OK(WriteFileAtomically(Path(), bytes, 0600));
  const auto damaged = Open();
  EXPECT_EQ(damaged.status(), wrong.status());
}

TEST_F(KeystoreTest, EveryTruncationExtensionAndFlippedByteIsRefused) {
  CreateWithOneKey();
  const std::string bytes = *ReadFileBounded(Path(), 10'000);
  const auto expect_refused = [&](const std::string& altered, const std::string& what) {
    std::ofstream(Path(), std::ios::binary | std::ios::trunc) << altered;
    const auto opened = Open();
    EXPECT_TRUE(opened.status().code() == absl::StatusCode::kPermissionDenied ||
                opened.status().code() == absl::StatusCode::kFailedPrecondition)
        << what << ": " << opened.status();
  };
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    expect_refused(bytes.substr(0, length), "length " + std::to_string(length));
  }
  expect_refused(bytes + std::string(1, '\0'), "longer");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int bits : {0x01, 0x80}) {
      std::string altered = bytes;
      altered[i] = static_cast<char>(altered[i] ^ bits);
      expect_refused(altered, "byte " + std::to_string(i));
    }
  }
  SLUIS_ASSERT_OK(WriteFileAtomically(Path(), bytes, 0600));
  SLUIS_EXPECT_OK(Open());
}

TEST_F(KeystoreTest, RefusesANewerFormat) {
  CreateWithOneKey();
  std::string bytes = *ReadFileBounded(Path(), 10'000);
  bytes[11] = 2;  // after the 8 bytes of the magic, the last of the format's 4
  SLUIS_ASSERT_OK(WriteFileAtomically(Path(), bytes, 0600));
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition, "format 2, this program reads 1; use the newer"));
}

TEST_F(KeystoreTest, KeyFileUnlocksAndBadOnesAreRefused) {
  const std::string key_file = directory_ / "key";
  const auto open = [&] { return Keystore::Open(Path(), UnlockSource::KeyFile(key_file)); };
  EXPECT_THAT(Keystore::Create(Path(), UnlockSource::KeyFile(key_file)), StatusIs(absl::StatusCode::kNotFound, "key"));
  SLUIS_ASSERT_OK(WriteFileAtomically(key_file, std::string(32, 'k'), 0400));
  SLUIS_ASSERT_OK(Keystore::Create(Path(), UnlockSource::KeyFile(key_file)));
  SLUIS_EXPECT_OK(open());
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition, "by a key file, but a passphrase was given"));
  SLUIS_ASSERT_OK(WriteFileAtomically(key_file, std::string(32, 'x'), 0400));
  EXPECT_THAT(open(), StatusIs(absl::StatusCode::kPermissionDenied, "cannot be unlocked"));
  for (const std::size_t size : {0u, 31u, 33u}) {
    SLUIS_ASSERT_OK(WriteFileAtomically(key_file, std::string(size, 'k'), 0400));
    EXPECT_THAT(open(), StatusIs(absl::StatusCode::kFailedPrecondition, "exactly 32 bytes"));
  }
  for (const std::uint32_t mode : {0440u, 0404u, 0620u}) {
    SLUIS_ASSERT_OK(WriteFileAtomically(key_file, std::string(32, 'k'), mode));
    EXPECT_THAT(open(), StatusIs(absl::StatusCode::kFailedPrecondition, "only its owner"));
  }
  std::filesystem::rename(key_file, directory_ / "elsewhere");
  std::filesystem::create_symlink(directory_ / "elsewhere", key_file);
  EXPECT_THAT(open(), StatusIs(absl::StatusCode::kFailedPrecondition, "regular file"));
}

TEST_F(KeystoreTest, CreateRefusesAnExistingFileAndBadPassphrases) {
  CreateWithOneKey();
  EXPECT_THAT(Keystore::Create(Path(), Passphrase()), StatusIs(absl::StatusCode::kAlreadyExists, "exists"));
  EXPECT_THAT(Keystore::Create(directory_ / "new", Passphrase("")),
              StatusIs(absl::StatusCode::kInvalidArgument, "passphrase is empty"));
  EXPECT_THAT(Keystore::Create(directory_ / "new", UnlockSource::Passphrase(FixedSecret('p'), {17, 8192})),
              StatusIs(absl::StatusCode::kInvalidArgument, "out of range"));
  EXPECT_THAT(Keystore::Open(directory_ / "none", Passphrase()), StatusIs(absl::StatusCode::kNotFound, "none"));
}

TEST_F(KeystoreTest, OnlyOneProcessMayHoldIt) {
  CreateWithOneKey();
  auto keystore = Open();
  SLUIS_ASSERT_OK(keystore);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    _exit(Open().status().code() == absl::StatusCode::kFailedPrecondition ? 0 : 1);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition, "in use by another process"));
  keystore->reset();
  SLUIS_EXPECT_OK(Open());
}

TEST_F(KeystoreTest, RefusesMalformedEntries) {
  auto keystore = Keystore::Create(Path(), Passphrase());
  SLUIS_ASSERT_OK(keystore);
  const auto expect_refused = [&](const KeyEntry& entry, const SecretBytes& secret, const std::string& message) {
    EXPECT_THAT((*keystore)->Add(entry, secret), StatusIs(absl::StatusCode::kInvalidArgument, message));
  };
  expect_refused(AeadEntry(""), FixedSecret(1), "key id must have");
  expect_refused(AeadEntry(std::string(129, 'x')), FixedSecret(1), "key id must have");
  expect_refused(AeadEntry("a b"), FixedSecret(1), "key id must have");
  expect_refused(AeadEntry("a", "new\nline"), FixedSecret(1), "key purpose must have");
  KeyEntry no_project = AeadEntry("a");
  no_project.project = "";
  expect_refused(no_project, FixedSecret(1), "key project must have");
  expect_refused(AeadEntry("a"), SecretBytes(31), "32 bytes");
  KeyEntry aead = AeadEntry("a");
  aead.public_key = std::string(32, 'p');
  expect_refused(aead, FixedSecret(1), "no public key");
  for (const KeyAlgorithm algorithm :
       {KeyAlgorithm::kEd25519Seed, KeyAlgorithm::kX25519Secret, KeyAlgorithm::kRistretto255Scalar}) {
    KeyEntry entry = AeadEntry("a");
    entry.algorithm = algorithm;
    entry.public_key = std::string(32, 'p');
    expect_refused(entry, FixedSecret(1), "public_key is not that of the secret");
  }
  KeyEntry scalar = AeadEntry("a");
  scalar.algorithm = KeyAlgorithm::kRistretto255Scalar;
  expect_refused(scalar, SecretBytes(32), "not a valid scalar");
  expect_refused(scalar, FixedSecret(0xff), "not a valid scalar");
  scalar.algorithm = static_cast<KeyAlgorithm>(9);
  expect_refused(scalar, FixedSecret(1), "algorithm is unknown");
  EXPECT_TRUE((*keystore)->List().empty());
}

// What the wrapping of one key must not do: pass for another key, state, version or file.
TEST(WrappingContexts, DifferInEveryField) {
  const KeyEntry base = AeadEntry("a");
  std::vector<std::string> contexts = {WrappingContext("file-id-of-16-by", base),
                                       WrappingContext("other-id-of-16-b", base)};
  for (int field = 0; field < 8; ++field) {
    KeyEntry entry = base;
    switch (field) {
      case 0:
        entry.id += "x";
        break;
      case 1:
        entry.project += "x";
        break;
      case 2:
        entry.purpose += "x";
        break;
      case 3:
        entry.algorithm = KeyAlgorithm::kEd25519Seed;
        break;
      case 4:
        entry.public_key += "x";
        break;
      case 5:
        entry.version += 1;
        break;
      case 6:
        entry.state = KeyState::kDestroyed;
        break;
      default:
        entry.created_unix_seconds += 1;
        break;
    }
    contexts.push_back(WrappingContext("file-id-of-16-by", entry));
  }
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NE(contexts[i], contexts[j]);
    }
  }
}

// Adds a key and destroys another, crashing before each system call that writes. Whatever the moment: the keystore
// opens, holds the state before or after each change, and Open leaves no second copy of the keys on disk.
TEST_F(KeystoreTest, ACrashAtAnyCallLeavesTheOldOrTheNewState) {
  int crashes = 0;
  for (const FaultAction action : {FaultAction::kCrash, FaultAction::kTear}) {
    for (int nth = 1;; ++nth) {
      RestoreWithOneKey();
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        auto keystore = Open();
        ScopedFault fault(nth, action, 0);
        _exit((*keystore)->Add(AeadEntry("b"), FixedSecret(0xb2)).ok() && (*keystore)->Destroy("a").ok() ? 0 : 1);
      }
      int state = 0;
      ASSERT_EQ(waitpid(child, &state, 0), child);
      ASSERT_TRUE(WIFEXITED(state));
      auto keystore = Open();
      SLUIS_ASSERT_OK(keystore) << "call " << nth;
      const bool has_a = (*keystore)->Secret("a").ok();
      const bool has_b = (*keystore)->Secret("b").ok();
      EXPECT_TRUE(has_a || has_b) << "call " << nth;
      EXPECT_EQ(FileCount(), 2u) << "call " << nth;  // the keystore and its lock
      SLUIS_ASSERT_OK((*keystore)->Add(AeadEntry("c"), FixedSecret(0xc3)));
      EXPECT_EQ(FileCount(), 2u);
      if (WEXITSTATUS(state) == 0) {
        EXPECT_TRUE(!has_a && has_b);
        break;
      }
      ASSERT_EQ(WEXITSTATUS(state), 77);
      ++crashes;
    }
  }
  EXPECT_GE(crashes, 2 * 20);
}

TEST_F(KeystoreTest, AFailureAtAnyCallIsReportedAndTheNextChangeWorks) {
  for (int nth = 1;; ++nth) {
    RestoreWithOneKey();
    auto keystore = Open();
    SLUIS_ASSERT_OK(keystore);
    absl::Status destroyed;
    bool reached = false;
    {
      ScopedFault fault(nth, FaultAction::kFail, ENOSPC);
      destroyed = (*keystore)->Destroy("a");
      reached = fault.reached();
    }
    if (!reached) {
      SLUIS_EXPECT_OK(destroyed);
      EXPECT_GT(nth, 10);
      break;
    }
    EXPECT_THAT(destroyed, StatusIs(absl::StatusCode::kResourceExhausted, "free space")) << "call " << nth;
    SLUIS_ASSERT_OK((*keystore)->Destroy("a")) << "call " << nth;
    SLUIS_ASSERT_OK((*keystore)->Add(AeadEntry("b"), FixedSecret(2))) << "call " << nth;
    keystore->reset();
    keystore = Open();
    SLUIS_ASSERT_OK(keystore);
    EXPECT_FALSE((*keystore)->Secret("a").ok());
    EXPECT_TRUE((*keystore)->Secret("b").ok());
    EXPECT_EQ(FileCount(), 2u);
  }
}

}  // namespace
}  // namespace sluis::common
