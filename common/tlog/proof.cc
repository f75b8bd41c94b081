#include "common/tlog/proof.h"

#include <algorithm>
#include <charconv>

#include "common/tlog/note.h"

namespace sluis::common {
namespace {

constexpr std::string_view kHeader = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::size_t kMaxPath = 63;  // sizes are below 2^63

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError("malformed tlog-proof: " + std::string(what));
}

}  // namespace

std::string FormatTlogProof(const TlogProof& proof) {
  std::string text(kHeader);
  text += '\n';
  if (proof.extra.has_value()) {
    text.append(kExtra).append(Base64Encode(*proof.extra)).append("\n");
  }
  text.append(kIndex).append(std::to_string(proof.index)).append("\n");
  for (const Hash256& hash : proof.path) {
    text.append(Base64Encode(AsChars(hash))).append("\n");
  }
  return text + "\n" + proof.checkpoint;
}

absl::StatusOr<TlogProof> ParseTlogProof(std::string_view text) {
  if (text.size() > 2 * kMaxNoteBytes) {
    return Malformed("longer than " + std::to_string(2 * kMaxNoteBytes) + " bytes");
  }
  // The first empty line separates the proof from the checkpoint.
  const std::size_t blank = text.find("\n\n");
  if (blank == std::string_view::npos) {
    return Malformed("no empty line before the checkpoint");
  }
  TlogProof proof;
  proof.checkpoint = text.substr(blank + 2);
  std::vector<std::string_view> lines;
  for (std::string_view head = text.substr(0, blank);;) {
    const std::size_t end = head.find('\n');
    lines.push_back(head.substr(0, end));
    if (end == std::string_view::npos) {
      break;
    }
    head.remove_prefix(end + 1);
  }
  std::size_t next = 0;
  if (lines[next++] != kHeader) {
    return Malformed("the first line is not \"" + std::string(kHeader) + "\"");
  }
  if (next < lines.size() && lines[next].starts_with(kExtra)) {
    const absl::StatusOr<std::string> extra = Base64Decode(lines[next++].substr(kExtra.size()));
    if (!extra.ok()) {
      return Malformed("the extra data is not base64");
    }
    proof.extra = *extra;
  }
  if (next == lines.size() || !lines[next].starts_with(kIndex)) {
    return Malformed("no index line");
  }
  const std::string_view index = lines[next++].substr(kIndex.size());
  const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), proof.index);
  if (error != std::errc() || end != index.data() + index.size() || (index.size() > 1 && index[0] == '0')) {
    return Malformed("the index is not a decimal number without leading zeros");
  }
  if (lines.size() - next > kMaxPath) {
    return Malformed("more than " + std::to_string(kMaxPath) + " hashes");
  }
  for (; next < lines.size(); ++next) {
    const absl::StatusOr<std::string> bytes = Base64Decode(lines[next]);
    Hash256 hash{};
    if (!bytes.ok() || bytes->size() != hash.size()) {
      return Malformed("line " + std::to_string(next + 1) + " is not a hash of 32 bytes in base64");
    }
    std::copy(bytes->begin(), bytes->end(), hash.begin());
    proof.path.push_back(hash);
  }
  return proof;
}

}  // namespace sluis::common
