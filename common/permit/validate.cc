#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/permit/permit.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::size_t kMaxCodes = 10'000;
constexpr std::uint64_t kMaxRecords = 1'000'000'000;

// [a-z][a-z0-9X]{0,62} with X = `joiner`.
bool IsName(std::string_view s, char joiner) {
  if (s.empty() || s.size() > 63 || s[0] < 'a' || s[0] > 'z') {
    return false;
  }
  return std::all_of(s.begin(), s.end(),
                     [joiner](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == joiner; });
}

bool IsSpiffeId(std::string_view s) {
  return s.starts_with("spiffe://") && s.size() > 10 && s.size() <= 2048 && s.find('/', 9) != std::string_view::npos &&
         s.back() != '/' && s.find_first_of(" \t\n?#") == std::string_view::npos;
}

bool IsAttachmentPath(std::string_view s) {
  return !s.empty() && s.size() <= 255 && s[0] != '/' && s.find("..") == std::string_view::npos &&
         s.find('\\') == std::string_view::npos && s.find('\0') == std::string_view::npos;
}

absl::Status Fail(const std::string& path, const std::string& expected) {
  return WithReason(absl::InvalidArgumentError(absl::StrCat("permit field ", path, ": ", expected)), "PERMIT_INVALID");
}

// Fails at the second item of `items` that has the name of an earlier one.
template <typename T>
absl::Status CheckUnique(const std::vector<T>& items, const std::string& path) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!seen.insert(items[i].name).second) {
      return Fail(absl::StrCat(path, "[", i, "].name"), absl::StrCat("\"", items[i].name, "\" occurs twice"));
    }
  }
  return absl::OkStatus();
}

class Validator {
 public:
  explicit Validator(const Permit& permit) : permit_(permit) {}

  absl::Status Run() {
    SLUIS_RETURN_IF_ERROR(Head());
    SLUIS_RETURN_IF_ERROR(Attachments());
    SLUIS_RETURN_IF_ERROR(MatchKeys());
    SLUIS_RETURN_IF_ERROR(Similarity());
    SLUIS_RETURN_IF_ERROR(Registers());
    SLUIS_RETURN_IF_ERROR(Tables());
    return Parties();
  }

 private:
  absl::Status Head() const {
    if (!IsName(permit_.id, '-')) {
      return Fail("id", "lower-case letters, digits and hyphens are expected, at most 63, a letter first");
    }
    if (permit_.version == 0) return Fail("version", "1 or more is expected");
    if (permit_.purpose.empty()) return Fail("purpose", "is missing");
    if (permit_.legal_basis.empty()) return Fail("legal_basis", "is missing");
    if (permit_.not_after < permit_.not_before) return Fail("not_after", "lies before not_before");
    if (permit_.retention_end < permit_.not_after) return Fail("retention_end", "lies before not_after");
    if (permit_.report_minimum_records < 100) {
      return Fail("linkage_report.minimum_records",
                  "100 or more is expected: a report on a few records would tell whether a person is in a register");
    }
    if (permit_.report_rounding < 5) return Fail("linkage_report.rounding", "5 or more is expected");
    if (permit_.max_link_sets < 1 || permit_.max_link_sets > 1000) {
      return Fail("linkage_report.max_link_sets",
                  "1 to 1000 is expected: each further report tells whoever chose what was delivered a little more");
    }
    return absl::OkStatus();
  }

  absl::Status Attachments() const {
    SLUIS_RETURN_IF_ERROR(CheckUnique(permit_.attachments, "attachments"));
    for (std::size_t i = 0; i < permit_.attachments.size(); ++i) {
      if (!IsAttachmentPath(permit_.attachments[i].name)) {
        return Fail(absl::StrCat("attachments[", i, "].name"), "a relative path without \"..\" is expected");
      }
    }
    return absl::OkStatus();
  }

  absl::Status NeedAttachment(const std::string& path, const std::string& name) const {
    if (permit_.FindAttachment(name) == nullptr) {
      return Fail(path, absl::StrCat("\"", name, "\" is not among the attachments"));
    }
    return absl::OkStatus();
  }

  absl::Status MatchKeys() const {
    if (permit_.match_keys.empty()) return Fail("match_keys", "at least one is expected");
    SLUIS_RETURN_IF_ERROR(CheckUnique(permit_.match_keys, "match_keys"));
    for (std::size_t i = 0; i < permit_.match_keys.size(); ++i) {
      const MatchKey& key = permit_.match_keys[i];
      const std::string path = absl::StrCat("match_keys[", i, "]");
      if (!IsName(key.name, '_')) return Fail(path + ".name", "lower-case letters, digits and _ are expected");
      if (key.purpose != "identifiers" && key.purpose != "match-keys") {
        return Fail(path + ".purpose", "\"identifiers\" or \"match-keys\" is expected");
      }
      if (!permit_.oprf_public_keys.contains(key.purpose)) {
        return Fail("parties.oprf_public_keys", absl::StrCat("the key for purpose \"", key.purpose, "\" is missing"));
      }
      if (key.components.empty() || key.components.size() > 16) {
        return Fail(path + ".components", "1 to 16 are expected");
      }
    }
    return absl::OkStatus();
  }

  absl::Status Similarity() const {
    const bool has_key = permit_.oprf_public_keys.contains(kPurposeTokens);
    if (!permit_.similarity.has_value()) {
      return has_key ? Fail("parties.oprf_public_keys", "a key for purpose \"tokens\" goes with similarity only")
                     : absl::OkStatus();
    }
    if (!has_key) return Fail("parties.oprf_public_keys", "the key for purpose \"tokens\" is missing");
    const PermitSimilarity& similarity = *permit_.similarity;
    const std::size_t least = similarity.field_level ? 1 : kMinSimilarityFeatures;
    if (similarity.features.size() < least || similarity.features.size() > kMaxSimilarityFeatures) {
      return Fail("similarity.features", absl::StrCat(least, " to ", kMaxSimilarityFeatures, " are expected"));
    }
    SLUIS_RETURN_IF_ERROR(CheckUnique(similarity.features, "similarity.features"));
    for (std::size_t i = 0; i < similarity.features.size(); ++i) {
      const SimilarityFeature& feature = similarity.features[i];
      const std::string path = absl::StrCat("similarity.features[", i, "]");
      if (!IsName(feature.name, '_')) return Fail(path + ".name", "lower-case letters, digits and _ are expected");
      if (feature.weight.has_value() && !(*feature.weight >= 0.001 && *feature.weight <= 1000)) {
        return Fail(path + ".weight", "0.001 to 1000 is expected");
      }
    }
    if (!similarity.salt_feature.empty() && similarity.FindFeature(similarity.salt_feature) == nullptr) {
      return Fail("similarity.hardening.salt_feature", "is not among the features");
    }
    const auto takes_part = [](const PermitRegister& r) { return !r.features.empty(); };
    const auto backbone = std::ranges::find(permit_.registers, true, &PermitRegister::backbone);
    if (backbone != permit_.registers.end() && !takes_part(*backbone)) {
      return Fail(absl::StrCat("registers[", backbone - permit_.registers.begin(), "].features"),
                  "the backbone must have features, since the others are linked to it");
    }
    if (std::ranges::count_if(permit_.registers, takes_part) < 2) {
      return Fail("registers", "similarity needs a register with features beside the backbone");
    }
    return absl::OkStatus();
  }

  absl::Status Features(const PermitRegister& r, const std::string& path) const {
    if (r.features.empty()) return absl::OkStatus();
    if (!permit_.similarity.has_value()) return Fail(path + ".features", "go with the permit's similarity only");
    if (!permit_.similarity->field_level && r.features.size() < kMinSimilarityFeatures) {
      return Fail(path + ".features", absl::StrCat("at least ", kMinSimilarityFeatures,
                                                   " are expected at record level: encodings of fewer fields repeat"));
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < r.features.size(); ++i) {
      const FeatureSource& source = r.features[i];
      const std::string at = absl::StrCat(path, ".features[", i, "]");
      const SimilarityFeature* feature = permit_.similarity->FindFeature(source.feature);
      if (feature == nullptr) {
        return Fail(at + ".feature", absl::StrCat("\"", source.feature, "\" is not among similarity.features"));
      }
      if (!seen.insert(source.feature).second) {
        return Fail(at + ".feature", absl::StrCat("\"", source.feature, "\" occurs twice"));
      }
      if (source.source.empty()) return Fail(at + ".source", "a schema field is expected");
      if (source.date_order != SimilarityDateOrder::kYearFirst && feature->kind != SimilarityKind::kDate) {
        return Fail(at + ".date_order", "goes with features of kind DATE only");
      }
    }
    return absl::OkStatus();
  }

  absl::Status Registers() const {
    SLUIS_RETURN_IF_ERROR(CheckUnique(permit_.registers, "registers"));
    const auto backbones =
        std::count_if(permit_.registers.begin(), permit_.registers.end(), [](const auto& r) { return r.backbone; });
    if (backbones != 1) return Fail("registers", "exactly one with backbone: true is expected");
    std::map<std::array<std::uint8_t, 32>, std::string> custodian_of_key;
    for (std::size_t i = 0; i < permit_.registers.size(); ++i) {
      const PermitRegister& r = permit_.registers[i];
      const std::string path = absl::StrCat("registers[", i, "]");
      SLUIS_RETURN_IF_ERROR(Register(r, path));
      if (r.custodian_key == decltype(r.custodian_key){}) {
        return Fail(path + ".custodian_key", "the Ed25519 key that signs the register's deliveries is expected");
      }
      if (custodian_of_key.emplace(r.custodian_key, r.custodian).first->second != r.custodian) {
        return Fail(path + ".custodian_key", "is the key of another custodian, which could sign in this one's name");
      }
    }
    return absl::OkStatus();
  }

  absl::Status Register(const PermitRegister& r, const std::string& path) const {
    if (!IsName(r.name, '_')) return Fail(path + ".name", "lower-case letters, digits and _ are expected");
    if (!IsSpiffeId(r.custodian)) return Fail(path + ".custodian", "a SPIFFE ID is expected");
    if (r.backbone && r.many_per_person) return Fail(path + ".many_per_person", "the backbone has one row a person");
    if (r.max_records == 0 || r.max_records > kMaxRecords) return Fail(path + ".max_records", "1 to 10^9 is expected");
    if (r.period.size() > 32 || !std::all_of(r.period.begin(), r.period.end(), [](char c) {
          return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
        })) {
      return Fail(path + ".period", "at most 32 letters, digits and - are expected, such as 2026-10");
    }
    SLUIS_RETURN_IF_ERROR(NeedAttachment(path + ".schema", r.schema));
    if (r.match_keys.empty() && r.features.empty()) {
      return Fail(path + ".match_keys", "at least one is expected, or features of similarity");
    }
    SLUIS_RETURN_IF_ERROR(Features(r, path));
    std::size_t last = 0;
    for (std::size_t k = 0; k < r.match_keys.size(); ++k) {
      const MatchKey* key = permit_.FindMatchKey(r.match_keys[k]);
      if (key == nullptr) {
        return Fail(absl::StrCat(path, ".match_keys[", k, "]"),
                    absl::StrCat("\"", r.match_keys[k], "\" is not among the permit's match_keys"));
      }
      const std::size_t position = static_cast<std::size_t>(key - permit_.match_keys.data()) + 1;
      if (position <= last) {
        return Fail(absl::StrCat(path, ".match_keys[", k, "]"), "the order of the permit's match_keys is expected");
      }
      last = position;
    }
    if (r.fields.empty()) return Fail(path + ".fields", "at least one is expected");
    SLUIS_RETURN_IF_ERROR(CheckUnique(r.fields, path + ".fields"));
    for (std::size_t f = 0; f < r.fields.size(); ++f) {
      SLUIS_RETURN_IF_ERROR(Field(r.fields[f], absl::StrCat(path, ".fields[", f, "]")));
    }
    return absl::OkStatus();
  }

  absl::Status Field(const PermitField& f, const std::string& path) const {
    if (!IsName(f.name, '_')) return Fail(path + ".name", "lower-case letters, digits and _ are expected");
    const FieldType wanted = [&] {
      switch (f.coarsening) {
        case Coarsening::kNone:
          return f.type;
        case Coarsening::kCodeList:
        case Coarsening::kAgeClass:
        case Coarsening::kPrefix:
          return FieldType::kCode;
        case Coarsening::kTruncateMonth:
        case Coarsening::kTruncateYear:
          return FieldType::kDate;
        case Coarsening::kRoundDown:
          return FieldType::kInteger;
        case Coarsening::kToken:
          return FieldType::kToken;
      }
      return f.type;
    }();
    if (f.type != wanted) return Fail(path + ".coarsen", "does not fit the type of the field");
    if (f.type == FieldType::kCode) {
      if (f.codes.empty() || f.codes.size() > kMaxCodes) return Fail(path + ".codes", "1 to 10,000 are expected");
      std::set<std::string> codes(f.codes.begin(), f.codes.end());
      if (codes.size() != f.codes.size()) return Fail(path + ".codes", "a code occurs twice");
      if (!f.other.empty() && !codes.contains(f.other)) return Fail(path + ".coarsen.other", "is not among the codes");
    }
    switch (f.coarsening) {
      case Coarsening::kCodeList:
        return NeedAttachment(path + ".coarsen.code_list", f.code_list);
      case Coarsening::kAgeClass:
        if (f.age_bounds.empty() || f.age_bounds[0] != 0 || f.age_bounds.back() > 150 ||
            std::adjacent_find(f.age_bounds.begin(), f.age_bounds.end(), std::greater_equal<>()) !=
                f.age_bounds.end()) {
          return Fail(path + ".coarsen.age_class.bounds",
                      "ascending years, the first 0, the last at most 150, are expected");
        }
        return absl::OkStatus();
      case Coarsening::kPrefix:
        return f.prefix_length >= 1 && f.prefix_length <= 32 ? absl::OkStatus()
                                                             : Fail(path + ".coarsen.prefix", "1 to 32 is expected");
      case Coarsening::kRoundDown:
        return f.round_to >= 1 ? absl::OkStatus() : Fail(path + ".coarsen.round_down_to", "1 or more is expected");
      default:
        break;
    }
    if (f.type == FieldType::kInteger && f.minimum > f.maximum) return Fail(path + ".maximum", "lies below minimum");
    return absl::OkStatus();
  }

  // `reference` is "register.field".
  const PermitField* FindField(const std::string& reference) const {
    const std::size_t dot = reference.find('.');
    if (dot == std::string::npos) return nullptr;
    const PermitRegister* r = permit_.FindRegister(reference.substr(0, dot));
    if (r == nullptr) return nullptr;
    const auto it = std::find_if(r->fields.begin(), r->fields.end(),
                                 [&](const PermitField& f) { return f.name == reference.substr(dot + 1); });
    return it == r->fields.end() ? nullptr : &*it;
  }

  absl::Status Tables() const {
    SLUIS_RETURN_IF_ERROR(CheckUnique(permit_.dimensions, "dimensions"));
    SLUIS_RETURN_IF_ERROR(CheckUnique(permit_.measures, "measures"));
    for (std::size_t i = 0; i < permit_.dimensions.size(); ++i) {
      const PermitDimension& d = permit_.dimensions[i];
      const std::string path = absl::StrCat("dimensions[", i, "]");
      if (!IsName(d.name, '_')) return Fail(path + ".name", "lower-case letters, digits and _ are expected");
      SLUIS_RETURN_IF_ERROR(NeedAttachment(path + ".hierarchy", d.hierarchy));
      for (const std::string& grouping : d.groupings) {
        SLUIS_RETURN_IF_ERROR(NeedAttachment(path + ".groupings", grouping));
      }
      if (d.fields.empty()) return Fail(path + ".fields", "at least one is expected");
      for (const std::string& field : d.fields) {
        if (FindField(field) == nullptr) {
          return Fail(path + ".fields", absl::StrCat("\"", field, "\" is no register.field of this permit"));
        }
      }
    }
    for (std::size_t i = 0; i < permit_.measures.size(); ++i) {
      const PermitMeasure& m = permit_.measures[i];
      const std::string path = absl::StrCat("measures[", i, "]");
      if (!IsName(m.name, '_')) return Fail(path + ".name", "lower-case letters, digits and _ are expected");
      if (m.field.empty()) continue;
      const PermitField* field = FindField(m.field);
      if (field == nullptr || field->type != FieldType::kInteger) {
        return Fail(path + ".field", absl::StrCat("\"", m.field, "\" is no integer register.field of this permit"));
      }
    }
    return NeedAttachment("rule_set", permit_.rule_set);
  }

  absl::Status Parties() const {
    if (!IsSpiffeId(permit_.key_service)) return Fail("parties.key_service", "a SPIFFE ID is expected");
    if (!IsSpiffeId(permit_.linker)) return Fail("parties.linker", "a SPIFFE ID is expected");
    if (!IsSpiffeId(permit_.gate)) return Fail("parties.gate", "a SPIFFE ID is expected");
    if (permit_.requesters.empty()) return Fail("parties.requesters", "at least one is expected");
    for (const std::string& requester : permit_.requesters) {
      if (!IsSpiffeId(requester)) return Fail("parties.requesters", "SPIFFE IDs are expected");
    }
    if (permit_.auditors.empty()) return Fail("parties.auditors", "at least one is expected");
    if (permit_.auditor_sealing_keys.size() != permit_.auditors.size()) {
      return Fail("parties.auditors", "each needs a sealing_key");
    }
    for (const PermitParty& auditor : permit_.auditors) {
      if (!IsSpiffeId(auditor.identity)) return Fail("parties.auditors", "identities are SPIFFE IDs");
    }
    // One organisation in two of these roles could see both an identity and a value.
    std::set<std::string> apart = {permit_.key_service, permit_.linker, permit_.gate};
    std::size_t count = 3;
    std::set<std::string> custodians;
    for (const PermitRegister& r : permit_.registers) custodians.insert(r.custodian);
    count += custodians.size();
    apart.insert(custodians.begin(), custodians.end());
    if (apart.size() != count) {
      return Fail("parties", "key service, linker, gate and custodians must be different identities");
    }
    for (const char* service : {"keys", "linker", "gate"}) {
      if (!permit_.log_keys.contains(service)) {
        return Fail("parties.log_keys", absl::StrCat("the verifier key of \"", service, "\" is missing"));
      }
    }
    return absl::OkStatus();
  }

  const Permit& permit_;
};

}  // namespace

absl::Status ValidatePermit(const Permit& permit) { return Validator(permit).Run(); }

}  // namespace sluis::common
