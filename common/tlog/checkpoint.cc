#include "common/tlog/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "common/status/status.h"

namespace sluis::common {
namespace {

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError("malformed checkpoint: " + std::string(what));
}

// Takes the first line, without its newline, off `text`.
bool TakeLine(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || end == 0) {
    return false;
  }
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

}  // namespace

std::string FormatCheckpoint(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" + Base64Encode(AsChars(checkpoint.root)) +
         "\n" + checkpoint.extensions;
}

absl::StatusOr<Checkpoint> ParseCheckpoint(std::string_view text) {
  Checkpoint checkpoint;
  std::string_view origin;
  std::string_view size;
  std::string_view root;
  if (!TakeLine(text, origin) || !TakeLine(text, size) || !TakeLine(text, root)) {
    return Malformed("expected the lines origin, size and root");
  }
  checkpoint.origin = origin;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), checkpoint.size);
  if (error != std::errc() || end != size.data() + size.size() || (size.size() > 1 && size[0] == '0') ||
      checkpoint.size > INT64_MAX) {
    return Malformed("the size is not a decimal number without leading zeros");
  }
  const absl::StatusOr<std::string> bytes = Base64Decode(root);
  if (!bytes.ok() || bytes->size() != checkpoint.root.size()) {
    return Malformed("the root is not 32 bytes in base64");
  }
  std::copy(bytes->begin(), bytes->end(), checkpoint.root.begin());
  checkpoint.extensions = text;
  for (std::string_view line; !text.empty();) {
    if (!TakeLine(text, line)) {
      return Malformed("an extension line is empty");
    }
  }
  return checkpoint;
}

absl::StatusOr<Checkpoint> VerifyCheckpoint(std::string_view note, std::span<const VerifierKey> keys) {
  SLUIS_ASSIGN_OR_RETURN(const SignedNote verified, VerifyNote(note, keys));
  SLUIS_ASSIGN_OR_RETURN(Checkpoint checkpoint, ParseCheckpoint(verified.text));
  // A witness alone must not pass for the log, so the log's own key must be among the signers.
  const bool signed_by_log = std::any_of(keys.begin(), keys.end(), [&](const VerifierKey& key) {
    return key.name == checkpoint.origin &&
           std::any_of(verified.signatures.begin(), verified.signatures.end(), [&](const NoteSignature& signature) {
             return signature.name == key.name && signature.key_id == key.Id();
           });
  });
  if (!signed_by_log) {
    return absl::DataLossError("the checkpoint is not signed by a key with the name of its origin");
  }
  return checkpoint;
}

}  // namespace sluis::common
