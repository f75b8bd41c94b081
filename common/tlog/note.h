#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/crypto.h"

// Signed notes (c2sp.org/signed-note) with Ed25519 signatures of type 0x01.

namespace sluis::common {

inline constexpr std::size_t kMaxNoteBytes = 1 << 20;
inline constexpr std::size_t kMaxNoteSignatures = 64;  // the specification asks verifiers to accept 16

// A public key with the name under which it signs. A name is not empty and holds no Unicode space and no '+'.
struct VerifierKey {
  std::string name;
  PublicKey key{};
  // The first four bytes of SHA-256(name || 0x0A || 0x01 || key).
  [[nodiscard]] std::string Id() const;
};

// Returns "name+id+base64(0x01 || key)", the form in which verifiers are configured.
[[nodiscard]] std::string FormatVerifierKey(const VerifierKey& key);
// Errors: INVALID_ARGUMENT on a malformed key, another type than Ed25519, or an id that does not belong to name and
// key.
[[nodiscard]] absl::StatusOr<VerifierKey> ParseVerifierKey(std::string_view vkey);

struct NoteSignature {
  std::string name;
  std::string key_id;  // 4 bytes
  std::string signature;
};
struct SignedNote {
  std::string text;  // with its final newline
  std::vector<NoteSignature> signatures;
};

// Returns the note that consists of `text` and one signature by `key` under `name`. Deterministic.
// Errors: INVALID_ARGUMENT if `text` is not valid UTF-8, holds a control character but newline, or does not end in a
// newline; if `name` is not a name as in VerifierKey.
[[nodiscard]] absl::StatusOr<std::string> SignNote(std::string_view text, std::string_view name, const SigningKey& key);

// Splits a note without verifying anything. Errors: INVALID_ARGUMENT if it is malformed, longer than kMaxNoteBytes or
// has more than kMaxNoteSignatures signatures.
[[nodiscard]] absl::StatusOr<SignedNote> ParseNote(std::string_view note);

// Returns the parsed note if at least one of `keys` signed it. Signatures by unknown keys are ignored.
// Errors: INVALID_ARGUMENT if it is malformed; DATA_LOSS if a signature of a known key does not verify, or no known key
// signed.
[[nodiscard]] absl::StatusOr<SignedNote> VerifyNote(std::string_view note, std::span<const VerifierKey> keys);

}  // namespace sluis::common
