#include "common/document/permit_document.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/document/yaml.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"
#include "proto/sluis/common/v1/permit.pb.h"

namespace sluis::common {
namespace {

constexpr std::size_t kMaxAttachmentBytes = 64 << 20;

absl::Status Fail(const std::string& path, const std::string& expected) {
  return WithReason(absl::InvalidArgumentError(absl::StrCat("permit field ", path, ": ", expected)), "PERMIT_INVALID");
}

template <std::size_t N>
absl::Status ReadKey(const std::string& path, const std::string& text, std::array<std::uint8_t, N>& key) {
  const auto bytes = Base64Decode(text);
  if (!bytes.ok() || bytes->size() != N) return Fail(path, absl::StrCat(N, " bytes in base 64 are expected"));
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return absl::OkStatus();
}

absl::Status ReadDay(const std::string& path, const std::string& text, Day& day) {
  const auto parsed = ParseDay(text);
  if (!parsed.ok()) return Fail(path, "a date yyyy-mm-dd is expected");
  day = *parsed;
  return absl::OkStatus();
}

absl::StatusOr<FieldType> ReadType(const std::string& path, v1::Field::Type type) {
  switch (type) {
    case v1::Field::CODE:
      return FieldType::kCode;
    case v1::Field::DATE:
      return FieldType::kDate;
    case v1::Field::INTEGER:
      return FieldType::kInteger;
    case v1::Field::TOKEN:
      return FieldType::kToken;
    default:
      return Fail(path, "CODE, DATE, INTEGER or TOKEN is expected");
  }
}

absl::StatusOr<Normaliser> ReadNormaliser(const std::string& path, v1::Component::Normaliser normaliser) {
  switch (normaliser) {
    case v1::Component::BSN:
      return Normaliser::kBsn;
    case v1::Component::DATE:
      return Normaliser::kDate;
    case v1::Component::SEX:
      return Normaliser::kSex;
    case v1::Component::NAME:
      return Normaliser::kName;
    case v1::Component::PHONETIC_NAME:
      return Normaliser::kPhoneticName;
    case v1::Component::POSTCODE6:
      return Normaliser::kPostcode6;
    case v1::Component::POSTCODE4:
      return Normaliser::kPostcode4;
    case v1::Component::TEXT:
      return Normaliser::kText;
    default:
      return Fail(path, "BSN, DATE, SEX, NAME, PHONETIC_NAME, POSTCODE6, POSTCODE4 or TEXT is expected");
  }
}

absl::Status ReadCoarsening(const std::string& path, const v1::Coarsen& in, PermitField& out) {
  const int given = (in.code_list().empty() ? 0 : 1) + (in.has_age_class() ? 1 : 0) + (in.prefix() != 0 ? 1 : 0) +
                    (in.truncate() != v1::Coarsen::TRUNCATE_UNSPECIFIED ? 1 : 0) + (in.round_down_to() != 0 ? 1 : 0);
  if (given > 1) return Fail(path, "one way of coarsening is expected, not several");
  if (!in.other().empty() && in.code_list().empty()) return Fail(path + ".other", "goes with code_list only");
  if (!in.code_list().empty()) {
    out.coarsening = Coarsening::kCodeList;
    out.code_list = in.code_list();
    out.other = in.other();
  } else if (in.has_age_class()) {
    out.coarsening = Coarsening::kAgeClass;
    SLUIS_RETURN_IF_ERROR(
        ReadDay(path + ".age_class.reference_date", in.age_class().reference_date(), out.reference_date));
    for (const std::uint32_t bound : in.age_class().bounds()) {
      if (bound > 150) return Fail(path + ".age_class.bounds", "at most 150 years are expected");
      out.age_bounds.push_back(static_cast<int>(bound));
    }
  } else if (in.prefix() != 0) {
    out.coarsening = Coarsening::kPrefix;
    out.prefix_length = static_cast<int>(std::min<std::uint32_t>(in.prefix(), 1000));
  } else if (in.truncate() != v1::Coarsen::TRUNCATE_UNSPECIFIED) {
    out.coarsening = in.truncate() == v1::Coarsen::MONTH ? Coarsening::kTruncateMonth : Coarsening::kTruncateYear;
  } else if (in.round_down_to() != 0) {
    if (in.round_down_to() > 1'000'000'000'000) return Fail(path + ".round_down_to", "at most 10^12 is expected");
    out.coarsening = Coarsening::kRoundDown;
    out.round_to = static_cast<std::int64_t>(in.round_down_to());
  }
  return absl::OkStatus();
}

absl::Status ReadField(const std::string& path, const v1::Field& in, PermitField& out) {
  out.name = in.name();
  out.source = in.source().empty() ? in.name() : in.source();
  SLUIS_ASSIGN_OR_RETURN(out.type, ReadType(path + ".type", in.type()));
  SLUIS_RETURN_IF_ERROR(ReadCoarsening(path + ".coarsen", in.coarsen(), out));
  if (out.type == FieldType::kToken) out.coarsening = Coarsening::kToken;
  out.codes.assign(in.codes().begin(), in.codes().end());
  if (out.coarsening == Coarsening::kAgeClass) {
    if (!out.codes.empty()) return Fail(path + ".codes", "must be absent: they follow from the age classes");
    out.codes = AgeClassCodes(out.age_bounds);
  }
  if (in.minimum() != 0 || in.maximum() != 0) {
    if (out.type != FieldType::kInteger) return Fail(path + ".minimum", "minimum and maximum go with INTEGER only");
    out.minimum = in.minimum();
    out.maximum = in.maximum();
  }
  out.unit = in.unit();
  return absl::OkStatus();
}

absl::StatusOr<SimilarityKind> ReadKind(const std::string& path, v1::Feature::Kind kind) {
  switch (kind) {
    case v1::Feature::NAME:
      return SimilarityKind::kName;
    case v1::Feature::TEXT:
      return SimilarityKind::kText;
    case v1::Feature::CATEGORY:
      return SimilarityKind::kCategory;
    case v1::Feature::DATE:
      return SimilarityKind::kDate;
    case v1::Feature::DIGITS:
      return SimilarityKind::kDigits;
    case v1::Feature::NUMBER:
      return SimilarityKind::kNumber;
    default:
      return Fail(path, "NAME, TEXT, CATEGORY, DATE, DIGITS or NUMBER is expected");
  }
}

absl::Status ReadSimilarity(const v1::Similarity& in, PermitSimilarity& out) {
  out.field_level = in.profile() == v1::Encoding::FIELD_LEVEL;
  for (int i = 0; i < in.features_size(); ++i) {
    const v1::Feature& f = in.features(i);
    SimilarityFeature& feature = out.features.emplace_back();
    feature.name = f.name();
    SLUIS_ASSIGN_OR_RETURN(feature.kind, ReadKind(absl::StrCat("similarity.features[", i, "].kind"), f.kind()));
    if (f.has_weight()) feature.weight = f.weight();
    if (f.has_stable()) feature.stable = f.stable();
  }
  if (in.has_bits()) out.bits = in.bits();
  if (in.has_insertions()) out.insertions = in.insertions();
  if (in.has_stable_bits()) out.stable_bits = in.stable_bits();
  if (in.has_stable_insertions()) out.stable_insertions = in.stable_insertions();
  out.min_hash = in.hashing() == v1::Encoding::TABULATION_MIN_HASH;
  const v1::Hardening& hardening = in.hardening();
  if (hardening.has_folds()) out.folds = hardening.folds();
  if (hardening.has_flip()) out.flip = hardening.flip();
  out.salt_feature = hardening.salt_feature();
  out.diffusion = hardening.diffusion();
  out.balanced = hardening.balanced();
  return absl::OkStatus();
}

FeatureSource ReadFeatureSource(const v1::FeatureSource& in) {
  FeatureSource out{in.feature(), in.source().empty() ? in.feature() : in.source(), SimilarityDateOrder::kYearFirst};
  if (in.date_order() == v1::FeatureSource::DAY_FIRST) out.date_order = SimilarityDateOrder::kDayFirst;
  if (in.date_order() == v1::FeatureSource::MONTH_FIRST) out.date_order = SimilarityDateOrder::kMonthFirst;
  return out;
}

absl::Status ReadParties(const v1::Parties& in, Permit& out) {
  out.key_service = in.key_service();
  out.linker = in.linker();
  out.gate = in.gate();
  out.requesters.assign(in.requesters().begin(), in.requesters().end());
  for (const v1::Auditor& auditor : in.auditors()) {
    out.auditors.push_back({auditor.name(), auditor.identity()});
    SLUIS_RETURN_IF_ERROR(
        ReadKey("parties.auditors.sealing_key", auditor.sealing_key(), out.auditor_sealing_keys.emplace_back()));
  }
  for (const auto& [purpose, key] : in.oprf_public_keys()) {
    SLUIS_RETURN_IF_ERROR(ReadKey("parties.oprf_public_keys", key, out.oprf_public_keys[purpose]));
  }
  SLUIS_RETURN_IF_ERROR(ReadKey("parties.gate_sealing_key", in.gate_sealing_key(), out.gate_sealing_key));
  out.log_keys.insert(in.log_keys().begin(), in.log_keys().end());
  return absl::OkStatus();
}

absl::Status ReadTables(const v1::Permit& in, Permit& out) {
  for (const v1::Dimension& d : in.dimensions()) {
    out.dimensions.push_back({d.name(),
                              d.hierarchy(),
                              {d.fields().begin(), d.fields().end()},
                              {d.groupings().begin(), d.groupings().end()}});
  }
  for (const v1::Measure& m : in.measures()) out.measures.push_back({m.name(), m.field(), m.unit()});
  out.rule_set = in.rule_set();
  for (int i = 0; i < in.attachments_size(); ++i) {
    PermitAttachment& attachment = out.attachments.emplace_back();
    attachment.name = in.attachments(i).name();
    const auto hash = HexDecode(in.attachments(i).sha256());
    if (!hash.ok() || hash->size() != 32) {
      return Fail(absl::StrCat("attachments[", i, "].sha256"), "64 hexadecimal digits are expected");
    }
    std::copy(hash->begin(), hash->end(), attachment.sha256.begin());
  }
  return absl::OkStatus();
}

absl::Status ReadPermit(const v1::Permit& in, Permit& out) {
  out.id = in.id();
  out.version = in.version();
  out.title = in.title();
  out.purpose = in.purpose();
  out.legal_basis = in.legal_basis();
  out.breakdown_justification = in.breakdown_justification();
  SLUIS_RETURN_IF_ERROR(ReadDay("not_before", in.not_before(), out.not_before));
  SLUIS_RETURN_IF_ERROR(ReadDay("not_after", in.not_after(), out.not_after));
  SLUIS_RETURN_IF_ERROR(ReadDay("retention_end", in.retention_end(), out.retention_end));
  out.required_approvals = static_cast<int>(std::min<std::uint32_t>(in.required_approvals(), 1000));
  for (int i = 0; i < in.registers_size(); ++i) {
    const v1::Register& r = in.registers(i);
    PermitRegister& reg = out.registers.emplace_back();
    reg.name = r.name();
    reg.custodian = r.custodian();
    reg.backbone = r.backbone();
    reg.many_per_person = r.many_per_person();
    reg.schema = r.schema();
    reg.match_keys.assign(r.match_keys().begin(), r.match_keys().end());
    reg.max_records = r.max_records();
    reg.period = r.period();
    SLUIS_RETURN_IF_ERROR(
        ReadKey(absl::StrCat("registers[", i, "].custodian_key"), r.custodian_key(), reg.custodian_key));
    for (const v1::FeatureSource& feature : r.features()) reg.features.push_back(ReadFeatureSource(feature));
    for (int f = 0; f < r.fields_size(); ++f) {
      SLUIS_RETURN_IF_ERROR(
          ReadField(absl::StrCat("registers[", i, "].fields[", f, "]"), r.fields(f), reg.fields.emplace_back()));
    }
  }
  for (int i = 0; i < in.match_keys_size(); ++i) {
    const v1::MatchKey& k = in.match_keys(i);
    MatchKey& key = out.match_keys.emplace_back();
    key.name = k.name();
    key.purpose = k.purpose();
    for (int c = 0; c < k.components_size(); ++c) {
      const std::string path = absl::StrCat("match_keys[", i, "].components[", c, "].normaliser");
      SLUIS_ASSIGN_OR_RETURN(const Normaliser normaliser, ReadNormaliser(path, k.components(c).normaliser()));
      key.components.push_back({k.components(c).source(), normaliser});
    }
  }
  if (in.has_similarity()) SLUIS_RETURN_IF_ERROR(ReadSimilarity(in.similarity(), out.similarity.emplace()));
  out.allow_corrections = in.allow_corrections();
  out.report_minimum_records = in.linkage_report().minimum_records();
  out.report_rounding = in.linkage_report().rounding();
  out.max_link_sets = in.linkage_report().max_link_sets();
  SLUIS_RETURN_IF_ERROR(ReadTables(in, out));
  return ReadParties(in.parties(), out);
}

}  // namespace

absl::StatusOr<Permit> ParsePermit(std::string_view document) {
  v1::Permit message;
  if (const absl::Status status = ParseYaml(document, message); !status.ok()) {
    return WithReason(Annotate(status, "permit"), "PERMIT_INVALID");
  }
  Permit permit;
  SLUIS_RETURN_IF_ERROR(ReadPermit(message, permit));
  permit.sha256 = Sha256(document);
  SLUIS_RETURN_IF_ERROR(ValidatePermit(permit));
  return permit;
}

absl::StatusOr<PermitBundle> LoadPermit(const std::string& directory, const std::vector<Approver>& approvers,
                                        int required_approvals) {
  PermitBundle bundle;
  const std::string path = directory + "/permit.yaml";
  SLUIS_ASSIGN_OR_RETURN(bundle.document, ReadFileBounded(path, kMaxDocumentBytes));
  SLUIS_ASSIGN_OR_RETURN(bundle.permit, ParsePermit(bundle.document));
  std::map<std::string, std::string> signatures;
  for (const Approver& approver : approvers) {
    const auto text = ReadFileBounded(absl::StrCat(path, ".", approver.name, ".sig"), 200);
    if (!text.ok()) continue;
    std::string trimmed = *text;
    while (!trimmed.empty() && (trimmed.back() == '\n' || trimmed.back() == '\r')) trimmed.pop_back();
    if (auto signature = Base64Decode(trimmed); signature.ok()) signatures[approver.name] = *std::move(signature);
  }
  SLUIS_RETURN_IF_ERROR(VerifyApprovals(bundle.document, bundle.permit, approvers, required_approvals, signatures));
  for (const PermitAttachment& attachment : bundle.permit.attachments) {
    SLUIS_ASSIGN_OR_RETURN(std::string bytes, ReadFileBounded(directory + "/" + attachment.name, kMaxAttachmentBytes));
    if (Sha256(bytes) != attachment.sha256) {
      return Fail(absl::StrCat("attachments: ", attachment.name),
                  "the file does not have the SHA-256 that the permit names; take the file that was approved");
    }
    bundle.attachments[attachment.name] = std::move(bytes);
  }
  return bundle;
}

absl::Status ApprovePermit(const std::string& directory, const std::string& approver_name, const SigningKey& key) {
  const std::string path = directory + "/permit.yaml";
  SLUIS_ASSIGN_OR_RETURN(const std::string document, ReadFileBounded(path, kMaxDocumentBytes));
  SLUIS_RETURN_IF_ERROR(ParsePermit(document).status());
  return WriteFileAtomically(absl::StrCat(path, ".", approver_name, ".sig"),
                             Base64Encode(Sign(key, ApprovalMessage(document))) + "\n", 0644);
}

}  // namespace sluis::common
