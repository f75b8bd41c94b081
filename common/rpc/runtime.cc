#include "common/rpc/runtime.h"

#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/entry/entry.h"
#include "common/file/atomic_file.h"
#include "common/rpc/server.h"
#include "common/status/status.h"
#include "common/tlog/note.h"

namespace sluis::common {
namespace {

absl::StatusOr<SigningKey> LogKey(const Keystore& keystore) {
  SLUIS_ASSIGN_OR_RETURN(const KeyEntry entry, keystore.Find(kServiceProject, kLogKeyPurpose));
  SLUIS_ASSIGN_OR_RETURN(const SecretBytes seed, keystore.Secret(entry.id));
  return SigningKey::FromSeed(seed);
}

absl::Status LogPermits(Runtime& runtime) {
  for (const auto& [id, bundle] : runtime.permits.all()) {
    const EntryFields fields = {{"project", id},
                                {"permit_sha256", HexOf(bundle.permit.sha256)},
                                {"version", static_cast<std::int64_t>(bundle.permit.version)}};
    SLUIS_ASSIGN_OR_RETURN(const auto found, runtime.log->Find(entry_type::kPermit, fields));
    if (found.has_value()) continue;
    SLUIS_RETURN_IF_ERROR(
        runtime.log->Append(FormatEntry(entry_type::kPermit, NowSeconds(), fields), WriteBatch()).status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UnlockSource> ToUnlockSource(const v1::Unlock& unlock) {
  if (unlock.key_file().empty() == unlock.passphrase_file().empty()) {
    return absl::InvalidArgumentError("configuration field unlock: either key_file or passphrase_file is expected");
  }
  if (!unlock.key_file().empty()) return UnlockSource::KeyFile(unlock.key_file());
  struct stat info {};
  if (stat(unlock.passphrase_file().c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(absl::StrCat("the passphrase file ", unlock.passphrase_file(),
                                                    " may be read by others than its owner; run chmod 600 on it"));
  }
  SLUIS_ASSIGN_OR_RETURN(std::string text, ReadFileBounded(unlock.passphrase_file(), 4096));
  const std::size_t line = text.find_first_of("\r\n");
  UnlockSource source = UnlockSource::Passphrase(SecretBytes::CopyOf(AsBytes(std::string_view(text).substr(0, line))));
  Wipe(text);
  return source;
}

absl::StatusOr<std::unique_ptr<Keystore>> OpenServiceKeystore(const v1::Service& config) {
  SLUIS_ASSIGN_OR_RETURN(const UnlockSource unlock, ToUnlockSource(config.unlock()));
  auto keystore = Keystore::Open(config.keystore(), unlock);
  if (absl::IsNotFound(keystore.status())) {
    return absl::NotFoundError(
        absl::StrCat("there is no keystore at ", config.keystore(), "; run this program with init first"));
  }
  return keystore;
}

absl::StatusOr<PublicKeys> InitialiseService(const v1::Service& config, bool with_sealing_key) {
  SLUIS_ASSIGN_OR_RETURN(const UnlockSource unlock, ToUnlockSource(config.unlock()));
  SLUIS_ASSIGN_OR_RETURN(const std::unique_ptr<Keystore> keystore, Keystore::Create(config.keystore(), unlock));
  PublicKeys keys;
  const SigningKey log_key = SigningKey::Generate();
  KeyEntry entry;
  entry.id = kLogKeyPurpose;
  entry.project = kServiceProject;
  entry.purpose = kLogKeyPurpose;
  entry.algorithm = KeyAlgorithm::kEd25519Seed;
  entry.public_key = std::string(AsChars(log_key.public_key));
  entry.created_unix_seconds = NowSeconds();
  SLUIS_RETURN_IF_ERROR(keystore->Add(entry, log_key.Seed()).status());
  keys.log_key = FormatVerifierKey({config.log_origin(), log_key.public_key});
  if (with_sealing_key) {
    const SealingKeyPair pair = SealingKeyPair::Generate();
    entry.id = kSealingKeyPurpose;
    entry.purpose = kSealingKeyPurpose;
    entry.algorithm = KeyAlgorithm::kX25519Secret;
    entry.public_key = std::string(AsChars(pair.public_key));
    SLUIS_RETURN_IF_ERROR(keystore->Add(entry, pair.secret_key).status());
    keys.sealing_key = Base64Encode(AsChars(pair.public_key));
  }
  return keys;
}

absl::StatusOr<std::unique_ptr<Runtime>> Runtime::Open(const v1::Service& config, std::vector<std::string> families,
                                                       std::uint32_t format_version, bool with_permits,
                                                       StoreMigration migrate) {
  auto runtime = std::make_unique<Runtime>();
  runtime->config = config;
  SLUIS_ASSIGN_OR_RETURN(runtime->keystore, OpenServiceKeystore(config));
  RocksDbOptions options;
  options.families = std::move(families);
  for (const std::string& family : LogFamilies()) options.families.push_back(family);
  if (config.cache_mebibytes() != 0) options.cache_bytes = config.cache_mebibytes() << 20;
  options.format_version = format_version;
  options.migrate = std::move(migrate);
  auto store = OpenRocksDb(config.data_directory(), options);
  if (!store.ok()) return Annotate(store.status(), absl::StrCat("store ", config.data_directory()));
  runtime->store = *std::move(store);
  SLUIS_RETURN_IF_ERROR(Metrics::Open(config.metrics_listen(), runtime->metrics));
  std::error_code error;
  std::filesystem::create_directories(config.log_directory(), error);
  SLUIS_ASSIGN_OR_RETURN(SigningKey log_key, LogKey(*runtime->keystore));
  auto writer = LogWriter::Open(*runtime->store, config.log_origin(), std::move(log_key), config.log_directory());
  if (!writer.ok()) return Annotate(writer.status(), absl::StrCat("log ", config.log_origin()));
  SLUIS_ASSIGN_OR_RETURN(runtime->log, ServiceLog::Open(*std::move(writer), *runtime->metrics));
  if (!with_permits) return runtime;

  SLUIS_ASSIGN_OR_RETURN(const std::vector<Approver> approvers, ToApprovers(config.permits()));
  const std::vector<std::string> directories(config.permits().directories().begin(),
                                             config.permits().directories().end());
  SLUIS_ASSIGN_OR_RETURN(runtime->permits, PermitSet::Load(directories, approvers,
                                                           static_cast<int>(config.permits().required_approvals())));
  SLUIS_RETURN_IF_ERROR(LogPermits(*runtime));
  return runtime;
}

absl::StatusOr<SecretBytes> Runtime::StorageKey(const std::string& project) const {
  absl::StatusOr<KeyEntry> found = keystore->Find(project, kStoragePurpose);
  if (!found.ok()) {
    if (!absl::IsNotFound(found.status())) return found.status();
    KeyEntry entry;
    entry.id = absl::StrCat(project, "/", kStoragePurpose);
    entry.project = project;
    entry.purpose = kStoragePurpose;
    entry.created_unix_seconds = NowSeconds();
    found = keystore->Add(entry, SecretBytes::Random(kAeadKeySize));
    if (!found.ok()) return found.status();
  }
  return keystore->Secret(found->id);
}

}  // namespace sluis::common
