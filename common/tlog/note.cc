#include "common/tlog/note.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr char kEd25519 = '\x01';
constexpr std::string_view kSignatureStart = "\u2014 ";  // em dash, space

// True if `text` is valid UTF-8 and no code point c of it has refuse(c).
template <typename Refuse>
bool IsCleanUtf8(std::string_view text, Refuse refuse) {
  const auto length = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT(text.data(), i, length, c);
    if (c < 0 || refuse(c)) {
      return false;
    }
  }
  return true;
}

bool IsCleanText(std::string_view text) {
  return IsCleanUtf8(text, [](UChar32 c) { return c < 0x20 && c != '\n'; });
}

bool IsKeyName(std::string_view name) {
  return !name.empty() && name.size() <= 1024 &&
         IsCleanUtf8(name, [](UChar32 c) { return c < 0x20 || c == '+' || u_isUWhiteSpace(c); });
}

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError("malformed note: " + std::string(what));
}

}  // namespace

std::string VerifierKey::Id() const {
  Sha256Hasher hasher;
  hasher.Update(name);
  hasher.Update(std::string_view("\n\x01", 2));
  hasher.Update(AsChars(key));
  const Hash256 hash = hasher.Finish();
  return std::string(AsChars(hash).substr(0, 4));
}

std::string FormatVerifierKey(const VerifierKey& key) {
  return key.name + "+" + HexEncode(key.Id()) + "+" + Base64Encode(kEd25519 + std::string(AsChars(key.key)));
}

absl::StatusOr<VerifierKey> ParseVerifierKey(std::string_view vkey) {
  const absl::Status malformed =
      absl::InvalidArgumentError("malformed verifier key: expected name+8 hexadecimal digits+base64 of an Ed25519 key");
  const std::size_t first = vkey.find('+');
  const std::size_t second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
  if (second == std::string_view::npos) {
    return malformed;
  }
  VerifierKey key;
  key.name = vkey.substr(0, first);
  const absl::StatusOr<std::string> material = Base64Decode(vkey.substr(second + 1));
  if (!IsKeyName(key.name) || !material.ok() || material->size() != 1 + key.key.size() || (*material)[0] != kEd25519) {
    return malformed;
  }
  std::copy(material->begin() + 1, material->end(), key.key.begin());
  if (vkey.substr(first + 1, second - first - 1) != HexEncode(key.Id())) {
    return absl::InvalidArgumentError("verifier key: the id does not belong to this name and key");
  }
  return key;
}

absl::StatusOr<std::string> SignNote(std::string_view text, std::string_view name, const SigningKey& key) {
  if (text.empty() || text.back() != '\n' || !IsCleanText(text)) {
    return Malformed("the text must be UTF-8 without control characters and end in a newline");
  }
  const VerifierKey verifier{std::string(name), key.public_key};
  if (!IsKeyName(name)) {
    return absl::InvalidArgumentError("the name of a note's key must not be empty nor hold spaces or '+'");
  }
  std::string note(text);
  note.append("\n").append(kSignatureStart).append(name).append(" ");
  note.append(Base64Encode(verifier.Id() + Sign(key, text))).append("\n");
  return note;
}

absl::StatusOr<SignedNote> ParseNote(std::string_view note) {
  if (note.size() > kMaxNoteBytes) {
    return Malformed("longer than " + std::to_string(kMaxNoteBytes) + " bytes");
  }
  if (!IsCleanText(note)) {
    return Malformed("not UTF-8, or a control character in it");
  }
  const std::size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos || note.back() != '\n' || blank + 2 == note.size()) {
    return Malformed("no blank line and signature lines at the end");
  }
  SignedNote parsed;
  parsed.text = note.substr(0, blank + 1);
  std::string_view lines = note.substr(blank + 2);
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    const std::string number = "signature line " + std::to_string(parsed.signatures.size() + 1);
    if (parsed.signatures.size() == kMaxNoteSignatures) {
      return Malformed("more than " + std::to_string(kMaxNoteSignatures) + " signatures");
    }
    if (!line.starts_with(kSignatureStart)) {
      return Malformed(number + " does not begin with an em dash and a space");
    }
    line.remove_prefix(kSignatureStart.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !IsKeyName(line.substr(0, space))) {
      return Malformed(number + " has no valid key name");
    }
    const absl::StatusOr<std::string> bytes = Base64Decode(line.substr(space + 1));
    if (!bytes.ok() || bytes->size() < 5) {
      return Malformed(number + " has no valid base64 signature");
    }
    parsed.signatures.push_back({std::string(line.substr(0, space)), bytes->substr(0, 4), bytes->substr(4)});
  }
  return parsed;
}

absl::StatusOr<SignedNote> VerifyNote(std::string_view note, std::span<const VerifierKey> keys) {
  SLUIS_ASSIGN_OR_RETURN(SignedNote parsed, ParseNote(note));
  bool signed_by_known_key = false;
  for (const NoteSignature& signature : parsed.signatures) {
    for (const VerifierKey& key : keys) {
      if (signature.name != key.name || signature.key_id != key.Id()) {
        continue;
      }
      if (!VerifySignature(key.key, parsed.text, signature.signature)) {
        return absl::DataLossError("the note's signature by " + key.name + " does not verify");
      }
      signed_by_known_key = true;
    }
  }
  if (!signed_by_known_key) {
    return absl::DataLossError("the note is not signed by a key that this verifier knows");
  }
  return parsed;
}

}  // namespace sluis::common
