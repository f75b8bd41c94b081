#include "common/permit/permit.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

// Of tokens that do not grow in number with the records; see EvaluationBudget.
constexpr std::uint64_t kCommonTokens = 200'000;

template <typename T>
const T* FindByName(const std::vector<T>& items, std::string_view name) {
  const auto it = std::find_if(items.begin(), items.end(), [name](const T& item) { return item.name == name; });
  return it == items.end() ? nullptr : &*it;
}

}  // namespace

std::size_t FieldWidth(FieldType type) {
  switch (type) {
    case FieldType::kCode:
      return 2;
    case FieldType::kDate:
      return 4;
    case FieldType::kInteger:
    case FieldType::kToken:
      return 8;
  }
  return 0;
}

std::size_t PermitRegister::RowWidth() const {
  std::size_t width = 0;
  for (const PermitField& field : fields) {
    width += FieldWidth(field.type);
  }
  return width;
}

std::vector<std::string> AgeClassCodes(const std::vector<int>& bounds) {
  std::vector<std::string> codes;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    codes.push_back(i + 1 == bounds.size() ? absl::StrCat("Y_GE", bounds[i])
                                           : absl::StrCat("Y", bounds[i], "-", bounds[i + 1] - 1));
  }
  return codes;
}

const SimilarityFeature* PermitSimilarity::FindFeature(std::string_view name) const {
  return FindByName(features, name);
}

const PermitRegister* Permit::FindRegister(std::string_view name) const { return FindByName(registers, name); }
const MatchKey* Permit::FindMatchKey(std::string_view name) const { return FindByName(match_keys, name); }
const PermitDimension* Permit::FindDimension(std::string_view name) const { return FindByName(dimensions, name); }
const PermitMeasure* Permit::FindMeasure(std::string_view name) const { return FindByName(measures, name); }
const PermitAttachment* Permit::FindAttachment(std::string_view name) const { return FindByName(attachments, name); }

const PermitRegister& Permit::Backbone() const {
  return *std::find_if(registers.begin(), registers.end(), [](const PermitRegister& r) { return r.backbone; });
}

std::uint64_t Permit::EvaluationBudget(std::string_view custodian, std::string_view purpose) const {
  std::uint64_t budget = 0;
  for (const PermitRegister& r : registers) {
    if (r.custodian != custodian) {
      continue;
    }
    budget += DeliveryBudget(r, purpose);
  }
  return budget;
}

std::uint64_t Permit::DeliveryBudget(const PermitRegister& reg, std::string_view purpose) const {
  if (purpose == kPurposeTokens) {
    if (!similarity.has_value() || reg.features.empty()) return 0;
    return std::min(kMaxTokenBudget, kCommonTokens + reg.features.size() * reg.max_records);
  }
  std::uint64_t budget = 0;
  for (const std::string& name : reg.match_keys) {
    const MatchKey* key = FindMatchKey(name);
    if (key != nullptr && key->purpose == purpose) {
      budget += reg.max_records + reg.max_records / 10;
    }
  }
  return budget;
}

bool IsDeliveryId(std::string_view id) {
  constexpr std::size_t kMaxSize = 63;
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !id.empty() && id.size() <= kMaxSize && alphanumeric(id[0]) &&
         std::all_of(id.begin(), id.end(), [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

absl::Status CheckPermitDates(const Permit& permit, Day today) {
  if (today < permit.not_before) {
    return WithReason(absl::FailedPreconditionError(absl::StrCat("permit ", permit.id, " is valid from ",
                                                                 FormatDay(permit.not_before), " on, not yet today")),
                      "PERMIT_NOT_YET_VALID");
  }
  if (today > permit.not_after) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat("permit ", permit.id, " expired on ", FormatDay(permit.not_after),
                                                   "; ask the approvers for a new version")),
        "PERMIT_EXPIRED");
  }
  return absl::OkStatus();
}

bool RetentionEnded(const Permit& permit, Day today) { return today > permit.retention_end; }

absl::Status CheckRetention(const Permit& permit, Day today) {
  if (!RetentionEnded(permit, today)) return absl::OkStatus();
  return WithReason(absl::FailedPreconditionError(absl::StrCat("the retention period of permit ", permit.id,
                                                               " ended on ", FormatDay(permit.retention_end),
                                                               "; nothing is kept or served under it any more")),
                    "RETENTION_ENDED");
}

std::string ApprovalMessage(std::string_view document) {
  std::string message = "sluis-permit-v1\n";
  message += document;
  return message;
}

absl::Status VerifyApprovals(std::string_view document, const Permit& permit, const std::vector<Approver>& approvers,
                             int required, const std::map<std::string, std::string>& signatures) {
  const std::string message = ApprovalMessage(document);
  std::set<std::array<std::uint8_t, 32>> approved;  // by key: one officer under two names counts once
  for (const Approver& approver : approvers) {
    const auto it = signatures.find(approver.name);
    if (it != signatures.end() && VerifySignature(approver.public_key, message, it->second)) {
      approved.insert(approver.public_key);
    }
  }
  const int needed = std::max({required, permit.required_approvals, 1});
  if (static_cast<int>(approved.size()) < needed) {
    return WithReason(
        absl::PermissionDeniedError(absl::StrCat("permit ", permit.id, " has ", approved.size(),
                                                 " valid approvals by the approvers known here; ", needed,
                                                 " are needed: have it signed with `sluis permit approve`")),
        "PERMIT_UNSIGNED");
  }
  return absl::OkStatus();
}

}  // namespace sluis::common
