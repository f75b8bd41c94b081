#include "cli/prepare/delivery_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/spill/spill_directory.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

using nlohmann::json;

constexpr char kSuffix[] = ".state";
// 1: rows were sealed without the digest of the permit, and deliveries were not signed.
// 2: no similarity encodings.
constexpr int kVersion = 3;
constexpr std::uint64_t kMaxStateBytes = 64ull << 20;

std::string Hex(const common::Hash256& hash) { return common::HexEncode(common::AsChars(hash)); }

absl::StatusOr<std::string> FromHex(const json& value) { return common::HexDecode(value.get<std::string>()); }

absl::StatusOr<common::Hash256> HashFromHex(const json& value) {
  SLUIS_ASSIGN_OR_RETURN(const std::string bytes, FromHex(value));
  common::Hash256 hash;
  if (bytes.size() != hash.size()) {
    return absl::DataLossError("a digest has a wrong length");
  }
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

std::string Encode(const DeliveryState& state) {
  const SpoolHeader& header = state.header;
  json chunks = json::array();
  for (const common::Hash256& digest : header.chunk_sha256) {
    chunks.push_back(Hex(digest));
  }
  const json document = {{"version", kVersion},
                         {"stage", static_cast<int>(state.stage)},
                         {"input_sha256", Hex(state.input_sha256)},
                         {"permit_id", header.permit_id},
                         {"permit_sha256", Hex(header.permit_sha256)},
                         {"register", header.register_name},
                         {"delivery_id", header.delivery_id},
                         {"replaces", header.replaces},
                         {"record_count", header.record_count},
                         {"match_keys", header.match_keys},
                         {"row_bytes", header.row_bytes},
                         {"sealed_data_key", common::HexEncode(header.sealed_data_key)},
                         {"schema_sha256", Hex(header.schema_sha256)},
                         {"encoding_plan_sha256", Hex(header.encoding_plan_sha256)},
                         {"encoding_bytes", header.encoding_bytes},
                         {"chunk_records", header.chunk_records},
                         {"chunk_sha256", chunks},
                         {"content_sha256", Hex(header.content_sha256)},
                         {"evaluated", state.evaluated},
                         {"tokens_evaluated", state.tokens_evaluated},
                         {"receipt", common::HexEncode(state.receipt)}};
  return document.dump();
}

absl::StatusOr<DeliveryState> DecodeDocument(const json& document) {
  DeliveryState state;
  SpoolHeader& header = state.header;
  const int version = document.at("version");
  if (version < 1 || version > kVersion) {
    return absl::FailedPreconditionError("written by a newer version of this program");
  }
  state.stage = static_cast<DeliveryStage>(document.at("stage").get<int>());
  // The gate would refuse the rows of an older spool: they are sealed anew. What was committed stays on record.
  if (version == 1 && state.stage == DeliveryStage::kPrepared) {
    state.stage = DeliveryStage::kStarted;
  }
  SLUIS_ASSIGN_OR_RETURN(state.input_sha256, HashFromHex(document.at("input_sha256")));
  header.permit_id = document.at("permit_id");
  SLUIS_ASSIGN_OR_RETURN(header.permit_sha256, HashFromHex(document.at("permit_sha256")));
  header.register_name = document.at("register");
  header.delivery_id = document.at("delivery_id");
  header.replaces = document.at("replaces");
  header.record_count = document.at("record_count");
  header.match_keys = document.at("match_keys").get<std::vector<std::string>>();
  header.row_bytes = document.at("row_bytes");
  SLUIS_ASSIGN_OR_RETURN(header.sealed_data_key, FromHex(document.at("sealed_data_key")));
  SLUIS_ASSIGN_OR_RETURN(header.schema_sha256, HashFromHex(document.at("schema_sha256")));
  if (version >= 3) {
    SLUIS_ASSIGN_OR_RETURN(header.encoding_plan_sha256, HashFromHex(document.at("encoding_plan_sha256")));
    header.encoding_bytes = document.at("encoding_bytes");
    state.tokens_evaluated = document.at("tokens_evaluated");
  }
  header.chunk_records = document.at("chunk_records");
  for (const json& digest : document.at("chunk_sha256")) {
    SLUIS_ASSIGN_OR_RETURN(const common::Hash256 hash, HashFromHex(digest));
    header.chunk_sha256.push_back(hash);
  }
  SLUIS_ASSIGN_OR_RETURN(header.content_sha256, HashFromHex(document.at("content_sha256")));
  state.evaluated = document.at("evaluated");
  SLUIS_ASSIGN_OR_RETURN(state.receipt, FromHex(document.at("receipt")));
  return state;
}

absl::StatusOr<DeliveryState> Decode(const std::string& text) {
  try {
    return DecodeDocument(json::parse(text));
  } catch (const json::exception&) {
    return absl::DataLossError("not the state of a delivery");
  }
}

// The associated data binds the sealed state to its file name.
std::string SealContext(const std::string& path) {
  return "sluis-delivery-state-v1" + std::filesystem::path(path).filename().string();
}

// Names of registers have no dot, so that REGISTER.DELIVERY can be taken apart.
bool IsRegisterName(std::string_view name) {
  return !name.empty() && name.size() <= 63 &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

absl::Status CheckNames(std::string_view register_name, std::string_view delivery_id) {
  if (!IsRegisterName(register_name)) {
    return absl::InvalidArgumentError(
        "the name of a register must have 1 to 63 lower-case letters, digits and underscores");
  }
  if (!common::IsDeliveryId(delivery_id)) {
    return absl::InvalidArgumentError(std::string("a delivery id must have ") + common::kDeliveryIdRule);
  }
  return absl::OkStatus();
}

}  // namespace

DeliveryStates::DeliveryStates(std::string directory, const common::SecretBytes& local_key)
    : directory_(std::move(directory)),
      state_key_(common::DeriveKey(local_key, "sluis-delivery-state-v1")),
      spool_key_(common::DeriveKey(local_key, "sluis-delivery-spool-v1")) {}

absl::StatusOr<DeliveryStates> DeliveryStates::Open(const std::string& directory,
                                                    const common::SecretBytes& local_key) {
  SLUIS_RETURN_IF_ERROR(common::EnsurePrivateDirectory(directory));
  return DeliveryStates(directory, local_key);
}

std::string DeliveryStates::StatePath(std::string_view register_name, std::string_view delivery_id) const {
  return directory_ + "/" + std::string(register_name) + "." + std::string(delivery_id) + kSuffix;
}

std::string DeliveryStates::SpoolPath(std::string_view register_name, std::string_view delivery_id) const {
  return directory_ + "/" + std::string(register_name) + "." + std::string(delivery_id) + ".spool";
}

absl::Status DeliveryStates::Remove(std::string_view register_name, std::string_view delivery_id) {
  SLUIS_RETURN_IF_ERROR(CheckNames(register_name, delivery_id));
  for (const std::string& path : {SpoolPath(register_name, delivery_id), StatePath(register_name, delivery_id)}) {
    if (unlinkat(AT_FDCWD, path.c_str(), 0) != 0 && errno != ENOENT) return common::FileError(errno, "remove", path);
  }
  return absl::OkStatus();
}

absl::Status DeliveryStates::Save(const DeliveryState& state) {
  const SpoolHeader& header = state.header;
  SLUIS_RETURN_IF_ERROR(CheckNames(header.register_name, header.delivery_id));
  const std::string path = StatePath(header.register_name, header.delivery_id);
  SLUIS_RETURN_IF_ERROR(common::RemoveStaleTemporaries(path));
  SLUIS_RETURN_IF_ERROR(
      common::WriteFileAtomically(path, common::AeadSeal(state_key_, SealContext(path), Encode(state)), 0600));
  if (state.stage == DeliveryStage::kCommitted) {
    const std::string spool = SpoolPath(header.register_name, header.delivery_id);
    if (unlinkat(AT_FDCWD, spool.c_str(), 0) != 0 && errno != ENOENT) {
      return common::FileError(errno, "remove", spool);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<DeliveryState> DeliveryStates::Read(const std::string& path) const {
  SLUIS_ASSIGN_OR_RETURN(const std::string sealed, common::ReadFileBounded(path, kMaxStateBytes));
  absl::StatusOr<std::string> text = common::AeadOpen(state_key_, SealContext(path), sealed);
  if (!text.ok()) {
    return absl::DataLossError("cannot open " + path + ": it was changed, or belongs to another local key");
  }
  absl::StatusOr<DeliveryState> state = Decode(*text);
  if (!state.ok()) {
    return common::Annotate(state.status(), path);
  }
  return state;
}

absl::StatusOr<std::optional<DeliveryState>> DeliveryStates::Load(std::string_view register_name,
                                                                  std::string_view delivery_id) const {
  SLUIS_RETURN_IF_ERROR(CheckNames(register_name, delivery_id));
  absl::StatusOr<DeliveryState> state = Read(StatePath(register_name, delivery_id));
  if (absl::IsNotFound(state.status())) {
    return std::optional<DeliveryState>();
  }
  SLUIS_RETURN_IF_ERROR(state.status());
  return std::optional<DeliveryState>(*std::move(state));
}

absl::StatusOr<std::vector<std::string>> DeliveryStates::Files(std::string_view suffix) const {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(suffix) && !name.starts_with('.')) {
      paths.push_back(entry->path().string());
    }
  }
  if (error) {
    return common::FileError(error.value(), "list", directory_);
  }
  std::ranges::sort(paths);
  return paths;
}

absl::Status DeliveryStates::Tidy() {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<DeliveryState> states, List());
  std::set<std::string> replaced;  // paths of states
  for (const DeliveryState& state : states) {
    if (state.stage != DeliveryStage::kCommitted || state.header.replaces.empty()) {
      continue;
    }
    for (const DeliveryState& other : states) {
      if (other.header.permit_id == state.header.permit_id &&
          other.header.register_name == state.header.register_name &&
          other.header.delivery_id == state.header.replaces) {
        replaced.insert(StatePath(other.header.register_name, other.header.delivery_id));
      }
    }
  }
  std::set<std::string> wanted;  // spools
  for (const DeliveryState& state : states) {
    const SpoolHeader& header = state.header;
    if (replaced.contains(StatePath(header.register_name, header.delivery_id))) {
      SLUIS_RETURN_IF_ERROR(Remove(header.register_name, header.delivery_id));
    } else if (state.stage == DeliveryStage::kPrepared) {
      wanted.insert(SpoolPath(header.register_name, header.delivery_id));
    }
  }
  for (const std::string_view suffix : {".spool", ".spool.new"}) {
    SLUIS_ASSIGN_OR_RETURN(const std::vector<std::string> spools, Files(suffix));
    for (const std::string& spool : spools) {
      if (!wanted.contains(spool) && unlinkat(AT_FDCWD, spool.c_str(), 0) != 0 && errno != ENOENT) {
        return common::FileError(errno, "remove", spool);
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<DeliveryState>> DeliveryStates::List() const {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<std::string> paths, Files(kSuffix));
  std::vector<DeliveryState> states;
  for (const std::string& path : paths) {
    SLUIS_ASSIGN_OR_RETURN(DeliveryState state, Read(path));
    states.push_back(std::move(state));
  }
  return states;
}

absl::StatusOr<std::optional<DeliveryState>> DeliveryStates::FindByInput(const common::Hash256& permit_sha256,
                                                                         std::string_view register_name,
                                                                         const common::Hash256& input_sha256) const {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<DeliveryState> states, List());
  for (const DeliveryState& state : states) {
    if (state.stage == DeliveryStage::kCommitted && state.header.permit_sha256 == permit_sha256 &&
        state.header.register_name == register_name && state.input_sha256 == input_sha256) {
      return std::optional<DeliveryState>(state);
    }
  }
  return std::optional<DeliveryState>();
}

}  // namespace sluis::cli
