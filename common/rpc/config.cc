#include "common/rpc/config.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/document/yaml.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

absl::Status Missing(const std::string& field, const std::string& expected) {
  return WithReason(absl::InvalidArgumentError(absl::StrCat("configuration field ", field, ": ", expected)),
                    "CONFIG_INVALID");
}

void MakeAbsolute(const std::filesystem::path& base, std::string& path) {
  if (!path.empty()) path = (base / path).lexically_normal().string();
}

void MakeAbsolute(const std::filesystem::path& base, v1::Tls& tls) {
  MakeAbsolute(base, *tls.mutable_certificate());
  MakeAbsolute(base, *tls.mutable_private_key());
  MakeAbsolute(base, *tls.mutable_authorities());
}

void MakeAbsolute(const std::filesystem::path& base, v1::PermitPolicy& policy) {
  for (std::string& directory : *policy.mutable_directories()) MakeAbsolute(base, directory);
}

void MakeAbsolute(const std::filesystem::path& base, v1::Unlock& unlock) {
  MakeAbsolute(base, *unlock.mutable_key_file());
  MakeAbsolute(base, *unlock.mutable_passphrase_file());
}

// Whether `file` is `directory` or lies below it, links resolved as far as they exist.
bool LiesIn(const std::filesystem::path& directory, const std::filesystem::path& file) {
  const auto resolved = [](const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::path canonical = std::filesystem::weakly_canonical(path, error);
    if (error) canonical = path.lexically_normal();
    return canonical.has_filename() ? canonical : canonical.parent_path();  // without a slash at the end
  };
  const std::filesystem::path outer = resolved(directory);
  const std::filesystem::path inner = resolved(file);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

absl::Status CheckTls(const v1::Tls& tls) {
  if (tls.certificate().empty()) return Missing("tls.certificate", "a PEM file is expected");
  if (tls.private_key().empty()) return Missing("tls.private_key", "a PEM file is expected");
  if (tls.authorities().empty()) return Missing("tls.authorities", "a PEM file is expected");
  return absl::OkStatus();
}

absl::Status CheckPolicy(const v1::PermitPolicy& policy) {
  if (policy.required_approvals() == 0) return Missing("permits.required_approvals", "1 or more is expected");
  if (static_cast<std::uint32_t>(policy.approvers_size()) < policy.required_approvals()) {
    return Missing("permits.approvers", "fewer approvers than required_approvals");
  }
  return absl::OkStatus();
}

absl::Status CheckUnlock(const v1::Unlock& unlock) {
  if (unlock.key_file().empty() == unlock.passphrase_file().empty()) {
    return Missing("unlock", "either key_file or passphrase_file is expected");
  }
  return absl::OkStatus();
}

template <typename Message>
absl::StatusOr<std::filesystem::path> Read(const std::string& path, Message& message) {
  SLUIS_ASSIGN_OR_RETURN(const std::string text, ReadFileBounded(path, kMaxDocumentBytes));
  if (const absl::Status status = ParseYaml(text, message); !status.ok()) {
    return WithReason(Annotate(status, path), "CONFIG_INVALID");
  }
  return std::filesystem::absolute(path).parent_path();
}

}  // namespace

absl::StatusOr<v1::Service> LoadServiceConfig(const std::string& path) {
  v1::Service config;
  SLUIS_ASSIGN_OR_RETURN(const std::filesystem::path base, Read(path, config));
  MakeAbsolute(base, *config.mutable_tls());
  MakeAbsolute(base, *config.mutable_permits());
  MakeAbsolute(base, *config.mutable_unlock());
  for (std::string* file : {config.mutable_data_directory(), config.mutable_keystore(), config.mutable_log_directory(),
                            config.mutable_ready_file()}) {
    MakeAbsolute(base, *file);
  }
  const auto check = [&]() -> absl::Status {
    if (config.listen().empty()) return Missing("listen", "host:port is expected");
    SLUIS_RETURN_IF_ERROR(CheckTls(config.tls()));
    SLUIS_RETURN_IF_ERROR(CheckPolicy(config.permits()));
    SLUIS_RETURN_IF_ERROR(CheckUnlock(config.unlock()));
    if (config.data_directory().empty()) return Missing("data_directory", "a folder is expected");
    if (config.keystore().empty()) return Missing("keystore", "a file is expected");
    if (LiesIn(config.data_directory(), config.keystore())) {
      return Missing("keystore", "must lie outside data_directory, so that a backup of the data never holds the keys");
    }
    if (config.log_origin().empty()) return Missing("log_origin", "a schema-less URL is expected");
    if (config.log_directory().empty()) return Missing("log_directory", "a folder is expected");
    for (const auto& [field, file] :
         {std::pair("keystore", config.keystore()), std::pair("unlock.key_file", config.unlock().key_file()),
          std::pair("unlock.passphrase_file", config.unlock().passphrase_file()),
          std::pair("tls.private_key", config.tls().private_key())}) {
      if (!file.empty() && LiesIn(config.log_directory(), file)) {
        return Missing(field, "must lie outside log_directory, whose files are published");
      }
    }
    return absl::OkStatus();
  };
  if (const absl::Status status = check(); !status.ok()) return Annotate(status, path);
  return config;
}

absl::StatusOr<v1::Client> LoadClientConfig(const std::string& path) {
  v1::Client config;
  SLUIS_ASSIGN_OR_RETURN(const std::filesystem::path base, Read(path, config));
  MakeAbsolute(base, *config.mutable_tls());
  MakeAbsolute(base, *config.mutable_permits());
  MakeAbsolute(base, *config.mutable_unlock());
  MakeAbsolute(base, *config.mutable_state_directory());
  MakeAbsolute(base, *config.mutable_signing_key());
  const auto check = [&]() -> absl::Status {
    SLUIS_RETURN_IF_ERROR(CheckTls(config.tls()));
    return CheckPolicy(config.permits());
  };
  if (const absl::Status status = check(); !status.ok()) return Annotate(status, path);
  return config;
}

TlsFiles ToTlsFiles(const v1::Tls& tls) { return {tls.certificate(), tls.private_key(), tls.authorities()}; }

absl::StatusOr<std::vector<Approver>> ToApprovers(const v1::PermitPolicy& policy) {
  std::vector<Approver> approvers;
  for (const v1::Approver& approver : policy.approvers()) {
    const auto key = Base64Decode(approver.public_key());
    if (!key.ok() || key->size() != 32) {
      return Missing(absl::StrCat("permits.approvers (", approver.name(), ")"),
                     "public_key: 32 bytes in base 64 are expected");
    }
    Approver& out = approvers.emplace_back();
    out.name = approver.name();
    std::copy(key->begin(), key->end(), out.public_key.begin());
  }
  return approvers;
}

}  // namespace sluis::common
