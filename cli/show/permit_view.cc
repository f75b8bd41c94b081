#include "cli/show/permit_view.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/show/text_columns.h"
#include "common/crypto/crypto.h"
#include "linker/encode/permit_plan.h"

namespace sluis::cli {
namespace {

using common::Coarsening;
using common::FieldType;
using common::Permit;
using common::PermitField;
using common::PermitRegister;
using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t kMaxCodesShown = 12;

const char* NameOf(FieldType type) {
  switch (type) {
    case FieldType::kCode:
      return "code";
    case FieldType::kDate:
      return "date";
    case FieldType::kInteger:
      return "integer";
    case FieldType::kToken:
      return "token";
  }
  return "";
}

const char* NameOf(common::Normaliser normaliser) {
  switch (normaliser) {
    case common::Normaliser::kBsn:
      return "BSN";
    case common::Normaliser::kDate:
      return "date";
    case common::Normaliser::kSex:
      return "sex";
    case common::Normaliser::kName:
      return "name";
    case common::Normaliser::kPhoneticName:
      return "phonetic name";
    case common::Normaliser::kPostcode6:
      return "postcode, 6 places";
    case common::Normaliser::kPostcode4:
      return "postcode, 4 digits";
    case common::Normaliser::kText:
      return "text";
  }
  return "";
}

// The first hierarchy of a dimension, then its groupings.
std::vector<std::string> Hierarchies(const common::PermitDimension& dimension) {
  std::vector<std::string> names = {dimension.hierarchy};
  names.insert(names.end(), dimension.groupings.begin(), dimension.groupings.end());
  return names;
}

std::string DescribeCodes(const PermitField& field) {
  std::vector<std::string> shown = field.codes;
  if (shown.size() > kMaxCodesShown) {
    shown.resize(kMaxCodesShown);
    shown.emplace_back("...");
  }
  return absl::StrCat(field.codes.size(), " codes (", absl::StrJoin(shown, ", "), ")");
}

std::string DescribeRange(const PermitField& field) {
  const bool bounded = field.minimum != INT64_MIN + 1 || field.maximum != INT64_MAX;
  return absl::StrCat(field.unit, bounded && !field.unit.empty() ? ", " : "",
                      bounded ? absl::StrCat("from ", field.minimum, " to ", field.maximum) : "");
}

std::string DescribeComponents(const common::MatchKey& key) {
  std::vector<std::string> parts;
  for (const common::MatchKeyComponent& component : key.components) {
    parts.push_back(absl::StrCat(component.source, " (", NameOf(component.normaliser), ")"));
  }
  return absl::StrJoin(parts, " + ");
}

const char* NameOf(common::SimilarityKind kind) {
  switch (kind) {
    case common::SimilarityKind::kName:
      return "name";
    case common::SimilarityKind::kText:
      return "text";
    case common::SimilarityKind::kCategory:
      return "category";
    case common::SimilarityKind::kDate:
      return "date";
    case common::SimilarityKind::kDigits:
      return "digits";
    case common::SimilarityKind::kNumber:
      return "number";
  }
  return "";
}

// The plan in words: what is set by default is said too, since approvers decide about it.
std::string SimilarityText(const Permit& permit) {
  if (!permit.similarity.has_value()) {
    return "\nSimilarity\n  none: records that share no match key do not link\n";
  }
  const absl::StatusOr<linker::EncodingPlan> plan = linker::PlanOf(permit);
  if (!plan.ok()) return absl::StrCat("\nSimilarity\n  invalid: ", std::string(plan.status().message()), "\n");
  Rows features;
  const std::vector<std::uint32_t> bits = plan->FeatureBits(), stable_bits = plan->StableFeatureBits();
  for (std::size_t i = 0; i < plan->features.size(); ++i) {
    std::string share = plan->hashing == linker::Hashing::kRandom ? absl::StrCat("sets ", bits[i], " bits")
                                                                  : absl::StrCat("weight ", plan->features[i].weight);
    if (stable_bits[i] > 0) absl::StrAppend(&share, ", ", stable_bits[i], " in the stable section");
    features.push_back({plan->features[i].name, NameOf(permit.similarity->features[i].kind), std::move(share)});
  }
  const linker::Hardening& hardening = plan->hardening;
  std::vector<std::string> measures;
  if (hardening.folds > 0)
    measures.push_back(absl::StrCat("folded ", hardening.folds, hardening.folds == 1 ? " time" : " times"));
  if (hardening.flip > 0) measures.push_back(absl::StrCat("each bit flipped with probability ", hardening.flip));
  if (!hardening.salt_feature.empty()) measures.push_back("salted by " + hardening.salt_feature);
  if (hardening.diffusion > 0) measures.push_back(absl::StrCat("each bit the XOR of ", hardening.diffusion));
  if (hardening.balanced) measures.push_back("balanced by the complement");
  return absl::StrCat(
      "\nSimilarity: what no match key links is compared by likeness\n",
      TextColumns({{"profile", permit.similarity->field_level
                                   ? "one encoding a feature: a frequency attack reads frequent names"
                                   : "one encoding a record"},
                   {"encoding",
                    absl::StrCat(plan->EncodedBits(), " bits, ",
                                 plan->hashing == linker::Hashing::kRandom ? "random hashing" : "tabulation min-hash")},
                   {"hardening", measures.empty() ? "none" : absl::StrJoin(measures, ", ")},
                   {"plan", common::HexEncode(common::AsChars(plan->Digest()))}},
                  2),
      "  compares:\n", TextColumns(features, 4));
}

std::string SourcesText(const PermitRegister& r) {
  std::vector<std::string> sources;
  for (const common::FeatureSource& feature : r.features) {
    sources.push_back(feature.source == feature.feature
                          ? feature.feature
                          : absl::StrCat(feature.feature, " (from ", feature.source, ")"));
  }
  return absl::StrJoin(sources, ", ");
}

Rows PartyRows(const Permit& permit) {
  Rows rows = {{"key service", permit.key_service}, {"linker", permit.linker}, {"gate", permit.gate}};
  for (const std::string& requester : permit.requesters) rows.push_back({"requester", requester});
  for (const common::PermitParty& auditor : permit.auditors) {
    rows.push_back({absl::StrCat("auditor ", auditor.name), auditor.identity});
  }
  return rows;
}

std::string RegisterText(const PermitRegister& r) {
  std::string text = absl::StrCat("\nRegister ", r.name, " of ", r.custodian, ": ",
                                  r.backbone          ? "the backbone, one row a person"
                                  : r.many_per_person ? "several rows a person"
                                                      : "one row a person",
                                  "; at most ", GroupedNumber(static_cast<std::int64_t>(r.max_records)), " records",
                                  r.period.empty() ? "" : "; about " + r.period, "\n");
  Rows rows;
  for (const PermitField& field : r.fields) {
    const std::string source = field.source.empty() || field.source == field.name ? "" : "from " + field.source + ": ";
    rows.push_back({field.name, NameOf(field.type), source + DescribeCoarsening(field)});
  }
  absl::StrAppend(&text, "  signs with: ", common::Base64Encode(common::AsChars(r.custodian_key)), "\n",
                  rows.empty() ? "  no field leaves\n" : "  leaves, sealed to the gate:\n", TextColumns(rows, 4),
                  "  linked by: ", r.match_keys.empty() ? "no match key" : absl::StrJoin(r.match_keys, ", "), "\n");
  if (!r.features.empty()) absl::StrAppend(&text, "  compared by likeness of: ", SourcesText(r), "\n");
  return text;
}

nlohmann::ordered_json SimilarityJson(const Permit& permit) {
  const absl::StatusOr<linker::EncodingPlan> plan = linker::PlanOf(permit);
  if (!plan.ok()) return {{"invalid", std::string(plan.status().message())}};
  nlohmann::ordered_json out = {
      {"profile", permit.similarity->field_level ? "FIELD_LEVEL" : "RECORD_LEVEL"},
      {"hashing", plan->hashing == linker::Hashing::kRandom ? "RANDOM" : "TABULATION_MIN_HASH"},
      {"bits", plan->bits},
      {"insertions", plan->insertions},
      {"stable_bits", plan->stable_bits},
      {"stable_insertions", plan->stable_insertions},
      {"folds", plan->hardening.folds},
      {"flip", plan->hardening.flip},
      {"salt_feature", plan->hardening.salt_feature},
      {"diffusion", plan->hardening.diffusion},
      {"balanced", plan->hardening.balanced},
      {"plan_sha256", common::HexEncode(common::AsChars(plan->Digest()))},
      {"features", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < plan->features.size(); ++i) {
    out["features"].push_back({{"name", plan->features[i].name},
                               {"kind", NameOf(permit.similarity->features[i].kind)},
                               {"weight", plan->features[i].weight},
                               {"stable", plan->features[i].stable}});
  }
  return out;
}

nlohmann::ordered_json RegisterJson(const PermitRegister& r) {
  nlohmann::ordered_json out = {{"name", r.name},
                                {"custodian", r.custodian},
                                {"custodian_key", common::Base64Encode(common::AsChars(r.custodian_key))},
                                {"backbone", r.backbone},
                                {"many_per_person", r.many_per_person},
                                {"schema", r.schema},
                                {"fields", nlohmann::ordered_json::array()},
                                {"match_keys", r.match_keys},
                                {"max_records", r.max_records},
                                {"period", r.period}};
  for (const PermitField& field : r.fields) {
    out["fields"].push_back({{"name", field.name},
                             {"source", field.source.empty() ? field.name : field.source},
                             {"type", NameOf(field.type)},
                             {"coarsening", DescribeCoarsening(field)}});
  }
  out["features"] = nlohmann::ordered_json::array();
  for (const common::FeatureSource& feature : r.features) {
    out["features"].push_back({{"feature", feature.feature}, {"source", feature.source}});
  }
  return out;
}

}  // namespace

std::string DescribeCoarsening(const PermitField& field) {
  switch (field.coarsening) {
    case Coarsening::kNone:
      if (field.type == FieldType::kCode) return "as it stands, " + DescribeCodes(field);
      if (field.type == FieldType::kInteger) {
        const std::string range = DescribeRange(field);
        return range.empty() ? "as it stands" : "as it stands, " + range;
      }
      return "as it stands";
    case Coarsening::kCodeList:
      return absl::StrCat("by the list ", field.code_list, " to ", DescribeCodes(field),
                          field.other.empty() ? "; unlisted values are errors" : "; unlisted: " + field.other);
    case Coarsening::kAgeClass:
      return absl::StrCat("age class on ", common::FormatDay(field.reference_date), ", from ",
                          absl::StrJoin(field.age_bounds, ", "), " years");
    case Coarsening::kPrefix:
      return absl::StrCat("the first ", field.prefix_length, " characters, ", DescribeCodes(field));
    case Coarsening::kTruncateMonth:
      return "first day of the month";
    case Coarsening::kTruncateYear:
      return "1 January of the year";
    case Coarsening::kRoundDown: {
      const std::string range = DescribeRange(field);
      return absl::StrCat("rounded down to multiples of ", field.round_to, range.empty() ? "" : ", ", range);
    }
    case Coarsening::kToken:
      return "keyed hash, new in each delivery";
  }
  return "";
}

std::string PermitText(const Permit& permit) {
  Rows head = {{"sha256", common::HexEncode(common::AsChars(permit.sha256))},
               {"purpose", permit.purpose},
               {"legal basis", permit.legal_basis}};
  if (!permit.breakdown_justification.empty()) head.push_back({"breakdown", permit.breakdown_justification});
  head.push_back({"in use", absl::StrCat("from ", common::FormatDay(permit.not_before), " to ",
                                         common::FormatDay(permit.not_after), ", both included")});
  head.push_back({"retention", absl::StrCat("ends ", common::FormatDay(permit.retention_end))});
  head.push_back({"approvals", absl::StrCat("at least ", permit.required_approvals)});
  head.push_back({"rule set", permit.rule_set});
  if (permit.allow_corrections) head.push_back({"corrections", "a request may replace releases of this permit"});
  head.push_back({"linkage report", absl::StrCat("none on registers with fewer than ", permit.report_minimum_records,
                                                 " records; counts rounded to multiples of ", permit.report_rounding,
                                                 "; at most ", permit.max_link_sets, " link sets")});
  std::string text =
      TextColumns({{absl::StrCat("Permit ", permit.id, ", version ", permit.version, ": ", permit.title)}}, 0);
  absl::StrAppend(&text, TextColumns(head, 2), "\nParties\n", TextColumns(PartyRows(permit), 2));
  for (const PermitRegister& r : permit.registers) text += RegisterText(r);
  Rows keys, dimensions, measures;
  for (const common::MatchKey& key : permit.match_keys) {
    keys.push_back({key.name, "key " + key.purpose, DescribeComponents(key)});
  }
  for (const common::PermitDimension& d : permit.dimensions) {
    dimensions.push_back({d.name, absl::StrJoin(Hierarchies(d), ", "), "from " + absl::StrJoin(d.fields, ", ")});
  }
  for (const common::PermitMeasure& m : permit.measures) {
    measures.push_back({m.name, m.field.empty() ? "count of persons" : "sum of " + m.field, m.unit});
  }
  absl::StrAppend(&text, "\nMatch keys, in the order of the linkage passes\n", TextColumns(keys, 2),
                  SimilarityText(permit), "\nDimensions of tables\n", TextColumns(dimensions, 2), "\nMeasures\n",
                  TextColumns(measures, 2));
  return text;
}

nlohmann::ordered_json PermitJson(const Permit& permit) {
  nlohmann::ordered_json out = {{"id", permit.id},
                                {"version", permit.version},
                                {"sha256", common::HexEncode(common::AsChars(permit.sha256))},
                                {"title", permit.title},
                                {"purpose", permit.purpose},
                                {"legal_basis", permit.legal_basis},
                                {"breakdown_justification", permit.breakdown_justification},
                                {"not_before", common::FormatDay(permit.not_before)},
                                {"not_after", common::FormatDay(permit.not_after)},
                                {"retention_end", common::FormatDay(permit.retention_end)},
                                {"required_approvals", permit.required_approvals},
                                {"rule_set", permit.rule_set},
                                {"allow_corrections", permit.allow_corrections},
                                {"linkage_report",
                                 {{"minimum_records", permit.report_minimum_records},
                                  {"rounding", permit.report_rounding},
                                  {"max_link_sets", permit.max_link_sets}}},
                                {"parties",
                                 {{"key_service", permit.key_service},
                                  {"linker", permit.linker},
                                  {"gate", permit.gate},
                                  {"requesters", permit.requesters},
                                  {"auditors", nlohmann::ordered_json::array()}}},
                                {"registers", nlohmann::ordered_json::array()},
                                {"match_keys", nlohmann::ordered_json::array()},
                                {"dimensions", nlohmann::ordered_json::array()},
                                {"measures", nlohmann::ordered_json::array()}};
  for (const common::PermitParty& auditor : permit.auditors) {
    out["parties"]["auditors"].push_back({{"name", auditor.name}, {"identity", auditor.identity}});
  }
  for (const PermitRegister& r : permit.registers) out["registers"].push_back(RegisterJson(r));
  for (const common::MatchKey& key : permit.match_keys) {
    nlohmann::ordered_json components = nlohmann::ordered_json::array();
    for (const common::MatchKeyComponent& c : key.components) {
      components.push_back({{"source", c.source}, {"normaliser", NameOf(c.normaliser)}});
    }
    out["match_keys"].push_back({{"name", key.name}, {"purpose", key.purpose}, {"components", components}});
  }
  if (permit.similarity.has_value()) out["similarity"] = SimilarityJson(permit);
  for (const common::PermitDimension& d : permit.dimensions) {
    out["dimensions"].push_back({{"name", d.name}, {"hierarchy", d.hierarchy}, {"fields", d.fields}});
    if (!d.groupings.empty()) out["dimensions"].back()["groupings"] = d.groupings;
  }
  for (const common::PermitMeasure& m : permit.measures) {
    out["measures"].push_back({{"name", m.name}, {"field", m.field}, {"unit", m.unit}});
  }
  return out;
}

}  // namespace sluis::cli
