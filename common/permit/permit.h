#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"

// A permit in memory: everything a project may do. What it does not name is refused, by every party, on its own.
// The document (proto/sluis/common/v1/permit.proto, written as YAML) is read by common/document; this is its checked
// form.

namespace sluis::common {

// Days since 1970-01-01, proleptic Gregorian calendar.
using Day = std::int32_t;

// What an attribute is once it is coarsened, and how it stands in a sealed row (little-endian, fixed width, so that all
// rows of a register are equally long):
enum class FieldType {
  kCode,     // uint16: position in PermitField::codes; kMissingCode if missing
  kDate,     // int32: Day; kMissingDate if missing
  kInteger,  // int64, in PermitField::unit; kMissingInteger if missing
  kToken,    // 8 bytes: keyed hash of an identifier of a unit that is no person (an employer), random key per delivery;
             // all zero if missing
};
inline constexpr std::uint16_t kMissingCode = 0xFFFF;
inline constexpr std::int32_t kMissingDate = INT32_MIN;
inline constexpr std::int64_t kMissingInteger = INT64_MIN;
[[nodiscard]] std::size_t FieldWidth(FieldType type);

// How a custodian coarsens a column before anything leaves.
enum class Coarsening {
  kNone,           // code, date or integer as it stands; a code must be one of `codes`
  kCodeList,       // looked up in the attachment `code_list` (CSV with header from,to); result must be one of `codes`;
                   // unlisted: the code `other`, or an error
  kAgeClass,       // date of birth -> class of the completed age on `reference_date`; codes are made from `age_bounds`
  kPrefix,         // the first `prefix_length` characters; must be one of `codes`
  kTruncateMonth,  // date -> first day of its month
  kTruncateYear,   // date -> 1 January
  kRoundDown,      // integer -> multiple of `round_to` towards zero
  kToken,          // identifier of a unit that is no person -> kToken
};

struct PermitField {
  std::string name;    // name of the attribute; unique in its register; [a-z][a-z0-9_]{0,62}
  std::string source;  // name of the schema field that it is made of
  FieldType type = FieldType::kCode;
  Coarsening coarsening = Coarsening::kNone;
  std::vector<std::string> codes;        // kCode: every value that may occur, at most 10,000, order fixed
  std::string code_list;                 // kCodeList: name of the attachment
  std::string other;                     // kCodeList: code for unlisted values; empty: unlisted values are errors
  Day reference_date = 0;                // kAgeClass
  std::vector<int> age_bounds;           // kAgeClass: lower bounds of the classes in years, ascending, the first is 0
  int prefix_length = 0;                 // kPrefix
  std::int64_t round_to = 1;             // kRoundDown
  std::int64_t minimum = INT64_MIN + 1;  // kInteger: accepted range
  std::int64_t maximum = INT64_MAX;
  std::string unit;  // kInteger: unit of the amount, such as "EUR/month"
};

// Returns the codes of an age-class field: bounds {0,15,25} give "Y0-14", "Y15-24", "Y_GE25".
[[nodiscard]] std::vector<std::string> AgeClassCodes(const std::vector<int>& bounds);

// How a component of a match key is normalised before it is hashed. Missing or implausible values make the whole key
// absent: a null never matches.
enum class Normaliser {
  kBsn,           // 9 digits (8 get a leading zero) that pass the eleven test
  kDate,          // yyyy-mm-dd; absent if day or month are unknown
  kSex,           // M or F
  kName,          // letters only, NFKD, diacritics and Dutch prefixes removed, upper case
  kPhoneticName,  // kName, then the Dutch phonetic code of linker/encode
  kPostcode6,     // 4 digits and 2 letters
  kPostcode4,     // the 4 digits
  kText,          // NFKC, case-folded, white space collapsed
};
struct MatchKeyComponent {
  std::string source;  // name of the schema field
  Normaliser normaliser = Normaliser::kText;
};
struct MatchKey {
  std::string name;     // unique; [a-z][a-z0-9_]{0,62}
  std::string purpose;  // "identifiers" or "match-keys": which OPRF key
  std::vector<MatchKeyComponent> components;
};

// How a feature's value becomes tokens; linker/encode/tokens.h says what each does.
enum class SimilarityKind { kName, kText, kCategory, kDate, kDigits, kNumber };
// How a custodian's extract writes the parts of a date; yyyy-mm-dd is understood under each.
enum class SimilarityDateOrder { kYearFirst, kDayFirst, kMonthFirst };

// What records are compared by if they are to link by similarity.
struct SimilarityFeature {
  std::string name;  // unique; [a-z][a-z0-9_]{0,62}
  SimilarityKind kind = SimilarityKind::kText;
  std::optional<double> weight;     // share of the bits, in 0.001 .. 1000; absent: by kind
  std::optional<bool> stable = {};  // a person keeps it when moving house; absent: by the name
};

// How the residue is linked by similarity encodings, once for all registers. What is absent follows from the profile:
// linker/encode/permit_plan.h makes the plan, and checks the ranges of the settings that only it knows.
struct PermitSimilarity {
  bool field_level = false;  // one encoding a feature instead of one a record: links better, protects less
  std::vector<SimilarityFeature> features;
  std::optional<std::uint32_t> bits;
  std::optional<std::uint32_t> insertions;
  bool min_hash = false;
  std::optional<std::uint32_t> folds;
  std::optional<double> flip;
  std::string salt_feature;  // one of `features`; empty: none
  std::uint32_t diffusion = 0;
  bool balanced = false;
  std::optional<std::uint32_t> stable_bits;  // of the section of stable features alone; 0: none
  std::optional<std::uint32_t> stable_insertions;

  const SimilarityFeature* FindFeature(std::string_view name) const;
};
// The purpose of the OPRF key under which the tokens of similarity encodings are evaluated. It is not rotated:
// encodings under two keys cannot be compared.
inline constexpr char kPurposeTokens[] = "tokens";
// At record level, of the permit and of each register that takes part: encodings of fewer fields repeat, and a
// frequency attack reads those that do.
inline constexpr std::size_t kMinSimilarityFeatures = 4;
inline constexpr std::size_t kMaxSimilarityFeatures = 64;
// Evaluations for tokens that a delivery may need at most, whatever its register's size.
inline constexpr std::uint64_t kMaxTokenBudget = 10'000'000;

// Where a register has a feature.
struct FeatureSource {
  std::string feature;                                               // name of a SimilarityFeature
  std::string source;                                                // name of the schema field
  SimilarityDateOrder date_order = SimilarityDateOrder::kYearFirst;  // kDate only
};

struct PermitRegister {
  std::string name;                              // [a-z][a-z0-9_]{0,62}
  std::string custodian;                         // SPIFFE ID of the only submitter
  bool backbone = false;                         // exactly one register is the backbone: one row a person
  bool many_per_person = false;                  // spells and events: several rows may belong to one person
  std::string schema;                            // name of the attachment: Frictionless Table Schema of the extract
  std::vector<PermitField> fields;               // what leaves, sealed; order fixed
  std::vector<std::string> match_keys;           // names, in the permit's order, that this register's records carry
  std::uint64_t max_records = 0;                 // more are refused; the quota of evaluations follows from it
  std::array<std::uint8_t, 32> custodian_key{};  // Ed25519; signs what the custodian delivers (common/seal)
  std::vector<FeatureSource> features;           // empty: the register's records carry no encodings
  std::string period = {};  // what the rows are about, [0-9A-Za-z-]{0,32}; other periods are other data

  // Bytes of a row before sealing.
  std::size_t RowWidth() const;
};

// A dimension of tables: a variable that a request may break down or filter by.
struct PermitDimension {
  std::string name;
  std::string hierarchy;                    // name of the attachment: CSV with header code,parent,label (one root)
  std::vector<std::string> fields;          // "register.field" from which a request may derive it
  std::vector<std::string> groupings = {};  // further attachments: other hierarchies over the same leaves
};
// What a table may hold in its cells.
struct PermitMeasure {
  std::string name;
  std::string field;  // "register.field" that is summed; empty: persons are counted
  std::string unit;
};

struct PermitAttachment {
  std::string name;  // path beside the permit, such as "hierarchies/origin.csv"; no "..", not absolute
  Hash256 sha256{};
};

struct PermitParty {
  std::string name;
  std::string identity;  // SPIFFE ID
};

struct Permit {
  std::string id;  // [a-z][a-z0-9-]{0,62}; the project
  std::uint32_t version = 0;
  std::string title, purpose, legal_basis;
  std::string breakdown_justification;  // why groups by origin are necessary
  Day not_before = 0, not_after = 0;    // inclusive
  Day retention_end = 0;
  int required_approvals = 0;  // at least; each service's own configuration may demand more
  std::vector<PermitRegister> registers;
  std::vector<MatchKey> match_keys;            // in the order of the linkage passes
  std::optional<PermitSimilarity> similarity;  // absent: records link by match keys alone
  std::vector<PermitDimension> dimensions;
  std::vector<PermitMeasure> measures;
  std::string rule_set;                      // name of the attachment
  bool allow_corrections = false;            // a request may replace releases of this permit
  std::uint64_t report_minimum_records = 0;  // no linkage report on a register with fewer
  std::uint64_t report_rounding = 1;         // counts in linkage reports are rounded to multiples of this
  std::uint32_t max_link_sets = 0;           // distinct ones that may be made under this version of the permit
  std::string key_service;                   // SPIFFE IDs
  std::string linker;
  std::string gate;
  std::vector<std::string> requesters;
  std::vector<PermitParty> auditors;
  std::map<std::string, std::array<std::uint8_t, 32>> oprf_public_keys;  // purpose -> ristretto255 element
  std::array<std::uint8_t, 32> gate_sealing_key{};                       // X25519
  std::vector<std::array<std::uint8_t, 32>> auditor_sealing_keys;        // X25519, order of `auditors`
  std::map<std::string, std::string> log_keys;  // "keys", "linker", "gate" -> note verifier key (vkey)
  std::vector<PermitAttachment> attachments;

  Hash256 sha256{};  // of the document's exact bytes

  const PermitRegister* FindRegister(std::string_view name) const;
  const PermitRegister& Backbone() const;
  const MatchKey* FindMatchKey(std::string_view name) const;
  const PermitDimension* FindDimension(std::string_view name) const;
  const PermitMeasure* FindMeasure(std::string_view name) const;
  const PermitAttachment* FindAttachment(std::string_view name) const;
  // Evaluations that `custodian` may ask for under `purpose` in one delivery of each of its registers. For identifiers
  // and match keys: a record and key each, with 10 % to spare. For kPurposeTokens, of a register with features: 200,000
  // (the pairs of letters, parts of dates and digits that there are, and room for a salt) and one a record and feature
  // (phonetic codes and categories), at most kMaxTokenBudget.
  std::uint64_t EvaluationBudget(std::string_view custodian, std::string_view purpose) const;
  // The part of it for one delivery of `reg`, a register of this permit.
  std::uint64_t DeliveryBudget(const PermitRegister& reg, std::string_view purpose) const;
};

// Whether `id` may name a delivery, for every party alike: 1 to 63 of A-Z a-z 0-9 . _ -, the first a letter or digit.
// It can therefore stand in a file name and in a path as it is.
[[nodiscard]] bool IsDeliveryId(std::string_view id);
inline constexpr char kDeliveryIdRule[] = "1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit";

// Checks all cross-references and bounds. Errors: INVALID_ARGUMENT with the path of the first field that is wrong and
// what is expected there.
[[nodiscard]] absl::Status ValidatePermit(const Permit& permit);

// Errors: FAILED_PRECONDITION with reason PERMIT_NOT_YET_VALID or PERMIT_EXPIRED.
[[nodiscard]] absl::Status CheckPermitDates(const Permit& permit, Day today);

// Whether what is kept under the permit must be gone: `today` lies after its retention_end, which is inclusive.
[[nodiscard]] bool RetentionEnded(const Permit& permit, Day today);
// Errors: FAILED_PRECONDITION with reason RETENTION_ENDED.
[[nodiscard]] absl::Status CheckRetention(const Permit& permit, Day today);

struct Approver {
  std::string name;
  std::array<std::uint8_t, 32> public_key{};
};

// Checks that at least max(`required`, permit.required_approvals) of `approvers` signed `document` (its exact bytes,
// under the context "sluis-permit-v1\n"). `signatures`: approver name -> 64-byte Ed25519 signature; unknown names are
// ignored. Errors: PERMISSION_DENIED with reason PERMIT_UNSIGNED, saying how many valid approvals there are and how
// many are needed.
[[nodiscard]] absl::Status VerifyApprovals(std::string_view document, const Permit& permit,
                                           const std::vector<Approver>& approvers, int required,
                                           const std::map<std::string, std::string>& signatures);
// The bytes that an approver signs.
[[nodiscard]] std::string ApprovalMessage(std::string_view document);

// Calendar. ParseDay reads yyyy-mm-dd; errors: INVALID_ARGUMENT.
[[nodiscard]] absl::StatusOr<Day> ParseDay(std::string_view text);
[[nodiscard]] std::string FormatDay(Day day);
struct CivilDate {
  int year, month, day;
};
[[nodiscard]] CivilDate ToCivil(Day day);
[[nodiscard]] Day FromCivil(CivilDate date);
// Completed years of age on `on` of a person born on `birth` (29 February counts on 1 March in common years).
// Precondition: birth <= on.
[[nodiscard]] int AgeInYears(Day birth, Day on);

}  // namespace sluis::common
