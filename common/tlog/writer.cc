#include "common/tlog/writer.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "common/file/atomic_file.h"
#include "common/status/status.h"
#include "common/tlog/export.h"
#include "common/tlog/proof.h"

namespace sluis::common {
namespace {

bool IsLogFamily(std::string_view family) {
  return family == kLogEntriesFamily || family == kLogTilesFamily || family == kLogHeadFamily;
}

std::string EncodeHead(std::uint64_t size, const Hash256& root) {
  std::string head;
  AppendBigEndian64(head, size);
  head.append(AsChars(root));
  return head;
}

std::string JoinHashes(std::span<const Hash256> hashes) {
  std::string bytes;
  bytes.reserve(hashes.size() * kHashSize);
  for (const Hash256& hash : hashes) {
    bytes.append(AsChars(hash));
  }
  return bytes;
}

}  // namespace

std::vector<std::string> LogFamilies() { return {kLogEntriesFamily, kLogTilesFamily, kLogHeadFamily}; }

LogWriter::LogWriter(Store& store, SigningKey key, VerifierKey verifier_key, std::string export_directory)
    : store_(store),
      key_(std::move(key)),
      verifier_key_(std::move(verifier_key)),
      export_directory_(std::move(export_directory)) {}

Hash256 LogWriter::State::Root() const {
  // From the right: the tree over the perfect subtrees that the binary digits of the size name.
  bool any = false;
  Hash256 root = RootOver({});
  for (const std::vector<Hash256>& tile : edge) {
    std::span<const Hash256> rest(tile);
    while (!rest.empty()) {
      const std::size_t lowest_bit = std::size_t{1} << std::countr_zero(rest.size());
      const Hash256 subtree = RootOver(rest.last(lowest_bit));
      root = any ? NodeHash(subtree, root) : subtree;
      any = true;
      rest = rest.first(rest.size() - lowest_bit);
    }
  }
  return root;
}

absl::StatusOr<std::unique_ptr<LogWriter>> LogWriter::Open(Store& store, std::string origin, SigningKey key,
                                                           std::string export_directory) {
  const VerifierKey verifier_key{std::move(origin), key.public_key};
  SLUIS_RETURN_IF_ERROR(
      Annotate(ParseVerifierKey(FormatVerifierKey(verifier_key)).status(), "the log's origin must be a key name"));
  // The constructor is private.
  std::unique_ptr<LogWriter> writer(new LogWriter(store, std::move(key), verifier_key, std::move(export_directory)));
  SLUIS_RETURN_IF_ERROR(writer->CheckIdentity());
  SLUIS_RETURN_IF_ERROR(writer->Recover());
  SLUIS_RETURN_IF_ERROR(writer->Export());
  return writer;
}

absl::Status LogWriter::CheckIdentity() {
  const std::string identity = FormatVerifierKey(verifier_key_);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> found, store_.Get(kLogHeadFamily, kLogIdentityKey));
  if (!found.has_value()) {
    WriteBatch batch;
    batch.Put(kLogHeadFamily, kLogIdentityKey, identity);
    batch.Put(kLogHeadFamily, kLogHeadKey, EncodeHead(0, RootOver({})));
    return store_.Write(batch, true);
  }
  if (*found != identity) {
    return absl::FailedPreconditionError("log: the store holds a log with another origin or key than the configured");
  }
  return absl::OkStatus();
}

// Reads the head and rebuilds the right edge, checking each part against what it is computed from.
absl::StatusOr<LogWriter::State> LogWriter::LoadState() const {
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> head, store_.Get(kLogHeadFamily, kLogHeadKey));
  if (!head.has_value() || head->size() != 8 + kHashSize) {
    return absl::DataLossError("log: the head record is missing or damaged");
  }
  State state;
  state.size = ReadBigEndian64(*head);
  LogReader reader(store_, state.size);
  for (int level = 0; level < kTileLevels; ++level) {
    const std::uint64_t count = state.size >> (8 * level);
    if (count == 0) {
      break;
    }
    // The last tile with anything in it: the partial one, or the last full one.
    const TileName last{
        .level = level, .index = (count - 1) / kTileWidth, .width = count - (count - 1) / kTileWidth * kTileWidth};
    SLUIS_ASSIGN_OR_RETURN(const std::string bytes, reader.Resource(last));
    const std::vector<Hash256> hashes = SplitHashes(bytes);
    for (std::uint64_t i = 0; i < last.width; ++i) {
      const std::uint64_t position = last.index * kTileWidth + i;
      Hash256 expected{};
      if (level == 0) {
        SLUIS_ASSIGN_OR_RETURN(const std::string entry, reader.Entry(position));
        expected = LeafHash(entry);
      } else if (i + 1 == last.width) {
        SLUIS_ASSIGN_OR_RETURN(const std::string below, reader.Resource({.level = level - 1, .index = position}));
        expected = RootOver(SplitHashes(below));
      } else {
        continue;
      }
      if (hashes[i] != expected) {
        return absl::DataLossError("log: hash " + std::to_string(i) + " of " + TilePath(last) +
                                   " does not agree with what it is computed from");
      }
    }
    if (last.width != kTileWidth) {
      state.edge[static_cast<std::size_t>(level)] = hashes;
    }
  }
  if (EncodeHead(state.size, state.Root()) != *head) {
    return absl::DataLossError("log: the root computed from the tiles is not that of the head record");
  }
  return state;
}

// Fails unless the log in `state` extends the checkpoint in `note`, which this log signed earlier.
absl::Status LogWriter::CheckAgainstSigned(const State& state, std::string_view note, std::string_view where,
                                           std::uint64_t& signed_size) const {
  const absl::StatusOr<SignedNote> parsed = ParseNote(note);
  if (parsed.ok() && std::none_of(parsed->signatures.begin(), parsed->signatures.end(), [&](const NoteSignature& s) {
        return s.name == verifier_key_.name && s.key_id == verifier_key_.Id();
      })) {
    return absl::FailedPreconditionError("log: the checkpoint in the " + std::string(where) +
                                         " belongs to a log with another origin or key");
  }
  const absl::StatusOr<common::Checkpoint> signed_before = VerifyCheckpoint(note, {&verifier_key_, 1});
  if (!signed_before.ok()) {
    return absl::DataLossError("log: the checkpoint in the " + std::string(where) + " is damaged");
  }
  if (signed_before->size > state.size) {
    return absl::DataLossError("log: the store has " + std::to_string(state.size) + " entries but the " +
                               std::string(where) + " has a signed checkpoint for " +
                               std::to_string(signed_before->size) +
                               "; an old backup was restored, or the store lost data");
  }
  LogReader reader(store_, state.size);
  SLUIS_ASSIGN_OR_RETURN(const Hash256 root, RootOfSize(signed_before->size, reader.Subtrees()));
  if (root != signed_before->root) {
    return absl::DataLossError("log: the store's root for size " + std::to_string(signed_before->size) +
                               " is not the one that was signed (" + std::string(where) + ")");
  }
  signed_size = signed_before->size;
  return absl::OkStatus();
}

// Brings the memory to what the store says, after opening or after a write of unknown outcome, and signs it.
absl::Status LogWriter::Recover() {
  SLUIS_ASSIGN_OR_RETURN(State state, LoadState());
  std::uint64_t signed_size = 0;
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> signed_note, store_.Get(kLogHeadFamily, kLogSignedKey));
  if (signed_note.has_value()) {
    SLUIS_RETURN_IF_ERROR(CheckAgainstSigned(state, *signed_note, "store", signed_size));
  }
  if (!export_directory_.empty()) {
    const absl::StatusOr<std::string> exported = ReadFileBounded(export_directory_ + "/checkpoint", kMaxNoteBytes);
    if (exported.ok()) {
      SLUIS_RETURN_IF_ERROR(CheckAgainstSigned(state, *exported, "export directory", exported_size_));
      checkpoint_exported_ = exported_size_ == state.size;
    } else if (exported.status().code() != absl::StatusCode::kNotFound) {
      return exported.status();
    } else {
      exported_size_ = 0;
      checkpoint_exported_ = false;
    }
  }
  state_ = std::move(state);
  uncertain_ = false;
  return SignState();
}

// Signs state_, which is durable. Ed25519 is deterministic, so signing a size again gives the same bytes.
absl::Status LogWriter::SignState() {
  const common::Checkpoint checkpoint{
      .origin = verifier_key_.name, .size = state_.size, .root = state_.Root(), .extensions = {}};
  {
    const std::lock_guard<std::mutex> lock(signed_mutex_);
    const bool signed_before = !signed_note_.empty();
    if (signed_before && (checkpoint.size < signed_checkpoint_.size ||
                          (checkpoint.size == signed_checkpoint_.size && checkpoint.root != signed_checkpoint_.root))) {
      return absl::DataLossError("log: the store went back behind a signed checkpoint; stop and restore it");
    }
  }
  SLUIS_ASSIGN_OR_RETURN(std::string note, SignNote(FormatCheckpoint(checkpoint), verifier_key_.name, key_));
  WriteBatch batch;
  batch.Put(kLogHeadFamily, kLogSignedKey, note);
  // Unsynced: the checkpoint follows from the synced head; this record only helps to notice a damaged head.
  if (!store_.Write(batch, false).ok()) {
    uncertain_ = true;
  }
  const std::lock_guard<std::mutex> lock(signed_mutex_);
  signed_note_ = std::move(note);
  signed_checkpoint_ = checkpoint;
  return absl::OkStatus();
}

absl::Status LogWriter::Export() {
  if (export_directory_.empty() || (exported_size_ == state_.size && checkpoint_exported_)) {
    return absl::OkStatus();
  }
  LogReader reader(store_, state_.size);
  SLUIS_RETURN_IF_ERROR(ExportTiles(reader, exported_size_, export_directory_, clean_export_));
  SLUIS_RETURN_IF_ERROR(ExportCheckpoint(signed_note_, export_directory_, clean_export_));
  exported_size_ = state_.size;
  checkpoint_exported_ = true;
  clean_export_ = false;
  return absl::OkStatus();
}

// Adds `entry` to `state`, and to `batch` the entry and every tile that it filled.
void LogWriter::AddEntry(State& state, std::string_view entry, WriteBatch& batch) {
  batch.Put(kLogEntriesFamily, LogEntryKey(state.size), entry);
  Hash256 hash = LeafHash(entry);
  for (int level = 0; level < kTileLevels; ++level) {
    std::vector<Hash256>& tile = state.edge[static_cast<std::size_t>(level)];
    tile.push_back(hash);
    if (tile.size() < kTileWidth) {
      break;
    }
    batch.Put(kLogTilesFamily, LogTileKey(level, state.size >> (8 * (level + 1))), JoinHashes(tile));
    hash = RootOver(tile);
    tile.clear();
  }
  ++state.size;
}

absl::StatusOr<AppendResult> LogWriter::Append(std::span<const std::string> entries,
                                               const WriteBatch& business_changes) {
  if (entries.empty()) {
    return absl::InvalidArgumentError("log: nothing to append");
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].size() > kMaxEntryBytes) {
      return absl::InvalidArgumentError("log: entry " + std::to_string(i) + " of the batch is longer than " +
                                        std::to_string(kMaxEntryBytes) + " bytes");
    }
  }
  for (const WriteBatch::Change& change : business_changes.changes()) {
    if (IsLogFamily(change.family)) {
      return absl::InvalidArgumentError("log: the changes that go with the entries touch the log's family " +
                                        change.family);
    }
  }
  const std::lock_guard<std::mutex> lock(append_mutex_);
  if (uncertain_) {
    SLUIS_RETURN_IF_ERROR(Recover());
  }
  State next = state_;
  WriteBatch batch;
  for (const std::string& entry : entries) {
    AddEntry(next, entry, batch);
  }
  for (int level = 0; level < kTileLevels; ++level) {
    const std::vector<Hash256>& tile = next.edge[static_cast<std::size_t>(level)];
    if (!tile.empty() && next.size >> (8 * level) != state_.size >> (8 * level)) {
      batch.Put(kLogTilesFamily, LogTileKey(level, next.size >> (8 * (level + 1))), JoinHashes(tile));
    }
  }
  batch.Put(kLogHeadFamily, kLogHeadKey, EncodeHead(next.size, next.Root()));
  batch.Append(business_changes);
  if (absl::Status written = store_.Write(batch, true); !written.ok()) {
    uncertain_ = written.code() != absl::StatusCode::kInvalidArgument;
    return written;
  }
  AppendResult result;
  result.first_index = state_.size;
  state_ = std::move(next);
  SLUIS_RETURN_IF_ERROR(SignState());
  result.checkpoint = Checkpoint();
  result.export_status = Export();
  return result;
}

std::string LogWriter::Checkpoint() const {
  const std::lock_guard<std::mutex> lock(signed_mutex_);
  return signed_note_;
}

std::uint64_t LogWriter::size() const {
  const std::lock_guard<std::mutex> lock(signed_mutex_);
  return signed_checkpoint_.size;
}

// Reading needs no lock beside the size: what a signed checkpoint covers does not change any more.

absl::StatusOr<std::string> LogWriter::Entry(std::uint64_t index) const {
  return LogReader(store_, size()).Entry(index);
}

absl::StatusOr<std::string> LogWriter::ProveInclusion(std::uint64_t index) const {
  TlogProof proof{.extra = std::nullopt, .index = index, .path = {}, .checkpoint = {}};
  std::uint64_t size = 0;
  {
    const std::lock_guard<std::mutex> lock(signed_mutex_);
    proof.checkpoint = signed_note_;
    size = signed_checkpoint_.size;
  }
  LogReader reader(store_, size);
  SLUIS_ASSIGN_OR_RETURN(proof.path, InclusionProof(index, size, reader.Subtrees()));
  return FormatTlogProof(proof);
}

absl::StatusOr<std::vector<Hash256>> LogWriter::ProveConsistency(std::uint64_t old_size) const {
  LogReader reader(store_, size());
  return ConsistencyProof(old_size, reader.size(), reader.Subtrees());
}

absl::StatusOr<std::string> LogWriter::ReadResource(std::string_view path) const {
  if (path == "checkpoint") {
    return Checkpoint();
  }
  SLUIS_ASSIGN_OR_RETURN(const TileName name, ParseTilePath(path));
  return LogReader(store_, size()).Resource(name);
}

}  // namespace sluis::common
