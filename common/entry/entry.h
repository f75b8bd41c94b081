#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"

// What the entries of the transparency logs say. An entry is one line of canonical JSON: an object whose keys are
// sorted, values are strings or integers, no white space. Verifiers hash the bytes as they are stored and never write
// them anew.
//
// Every entry has "v" (1), "type", "time" (seconds since 1970-01-01 UTC). Entries hold names from permits, hashes and
// counts in bands; never an identifier, a value, or a small number.

namespace sluis::common {

namespace entry_type {
inline constexpr char kKeyCreated[] = "key-created";      // keys: project, purpose, public_key
inline constexpr char kKeyDestroyed[] = "key-destroyed";  // keys: project, purpose, public_key
inline constexpr char kPermit[] = "permit";               // all: project, version, permit_sha256
inline constexpr char kDelivery[] =
    "delivery";  // linker: project, register, delivery, replaces, records, content_sha256, schema_sha256
inline constexpr char kWithdrawal[] = "withdrawal";  // linker: project, register, delivery
inline constexpr char kLinkSet[] = "link-set";       // linker: project, link_set, deliveries
inline constexpr char kRetention[] = "retention";    // all: project, permit_sha256, and counts of what was deleted
inline constexpr char kRelease[] = "release";        // gate: see disclosure/release
inline constexpr char kRefusal[] = "refusal";        // gate: project, permit_sha256, request_sha256, requester, reason
inline constexpr char kDryRun[] = "dry-run";         // gate: project, permit_sha256, request_sha256, requester
}  // namespace entry_type

using EntryValue = std::variant<std::string, std::int64_t>;
using EntryFields = std::map<std::string, EntryValue, std::less<>>;

// Returns the bytes of an entry. Precondition: `fields` does not name v, type or time.
[[nodiscard]] std::string FormatEntry(std::string_view type, std::int64_t time_seconds, EntryFields fields);

struct Entry {
  std::string type;
  std::int64_t time_seconds = 0;
  EntryFields fields;  // without v, type and time

  // The text or number of a field; empty or 0 if it is absent or of the other kind.
  std::string Text(std::string_view name) const;
  std::int64_t Number(std::string_view name) const;
};

// Errors: INVALID_ARGUMENT unless `bytes` is exactly what FormatEntry writes.
[[nodiscard]] absl::StatusOr<Entry> ParseEntry(std::string_view bytes);

[[nodiscard]] std::string HexOf(const Hash256& hash);

}  // namespace sluis::common
