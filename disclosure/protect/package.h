#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "common/entry/entry.h"
#include "disclosure/protect/protect.h"
#include "disclosure/release/released_table.h"

// The files of a release. Formats in README.md.

namespace sluis::disclosure {

inline constexpr char kManifestFile[] = "release.json";
inline constexpr char kRequestFile[] = "request.yaml";
inline constexpr char kEntryFile[] = "entry.json";          // added by the gate: the log entry, exact bytes
inline constexpr char kProofFile[] = "release.tlog-proof";  // added by the gate: the entry is in the gate's log

// Path in the release -> bytes.
using ReleaseFiles = std::map<std::string, std::string>;

struct ManifestFile {
  common::Hash256 sha256{};
  std::uint64_t length = 0;
  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};
struct ManifestTable {
  std::string name;
  std::int32_t population = 0;
  std::map<std::string, std::string> methods;  // measure -> its method in the rule set; suppressed ones are not here
  ManifestFile csv, json_stat, sdmx_csv;       // tables/NAME.csv, tables/NAME.json, tables/NAME.sdmx.csv
  friend bool operator==(const ManifestTable&, const ManifestTable&) = default;
};
// release.json: what the release consists of.
struct Manifest {
  std::string release;  // [A-Za-z0-9-]{1,64}
  std::string project;
  common::Hash256 permit_sha256{};
  std::string request;  // its id
  common::Hash256 request_sha256{};
  std::string link_set;
  std::string rule_set;  // its name in the permit
  common::Hash256 rule_set_sha256{};
  std::string software;
  std::vector<ManifestTable> tables;
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

// Paths of a table's files.
[[nodiscard]] std::string CsvPath(std::string_view table);
[[nodiscard]] std::string JsonStatPath(std::string_view table);
[[nodiscard]] std::string SdmxCsvPath(std::string_view table);

// Returns the bytes of release.json. One encoding for each manifest.
[[nodiscard]] std::string FormatManifest(const Manifest& manifest);
// Errors: INVALID_ARGUMENT unless `bytes` is exactly what FormatManifest writes, with names in their form and no table
// twice.
[[nodiscard]] absl::StatusOr<Manifest> ParseManifest(std::string_view bytes);

// Returns release.json, request.yaml and the three files of each table.
// Errors: INVALID_ARGUMENT if a table is invalid (ValidateReleasedTable), or release id or names are not in their form;
// INTERNAL if a table does not read back from its CSV as it was.
[[nodiscard]] absl::StatusOr<ReleaseFiles> MakePackage(const ProtectedRelease& release,
                                                       const ReleaseDocuments& documents, std::string_view release_id);

// Writes the hash of each of `files` into the evidence. Call it before EncodeEvidence.
void AddReleasedHashes(const ReleaseFiles& files, Evidence& evidence);

// Returns the SHA-256 of release.json, by which the log entry names the release. Precondition: `files` has it.
[[nodiscard]] common::Hash256 PublishedHash(const ReleaseFiles& files);

// Returns the fields of the log entry (type "release") about a package: project, permit_sha256, release, request,
// request_sha256, link_set, rule_set, rule_set_sha256, engine, published_sha256, evidence_sha256, cells (of all tables)
// and suppressed (a band). `sealed_evidence`: as it is handed to auditors.
// Errors: as ParseManifest, if `files` is no package.
[[nodiscard]] absl::StatusOr<common::EntryFields> ReleaseEntryFields(const ReleaseFiles& files,
                                                                     const ProtectedRelease& release,
                                                                     std::string_view sealed_evidence);

// What sealed evidence belongs to; it opens for nothing else.
struct EvidenceBinding {
  std::string release;
  common::Hash256 published_sha256{};
};

// Returns `evidence` sealed so that each of `auditors` (X25519 public keys, 1 .. 64 of them) can open it alone.
// Errors: INVALID_ARGUMENT if there are none or more than 64 auditors.
[[nodiscard]] absl::StatusOr<std::string> SealEvidence(std::string_view evidence,
                                                       std::span<const std::array<std::uint8_t, 32>> auditors,
                                                       const EvidenceBinding& binding);

// Returns the evidence in `sealed`. Errors: INVALID_ARGUMENT if it is malformed; DATA_LOSS if it was not sealed to
// `auditor`, is about another release, or was changed. Constant memory beyond a copy of the evidence.
[[nodiscard]] absl::StatusOr<std::string> OpenEvidence(std::string_view sealed, const common::SealingKeyPair& auditor,
                                                       const EvidenceBinding& binding);

}  // namespace sluis::disclosure
