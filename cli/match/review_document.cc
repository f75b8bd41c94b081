#include "cli/match/review_document.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "cli/match/plan.h"
#include "cli/match/report.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "common/document/yaml.h"
#include "common/status/status.h"
#include "proto/sluis/linker/v1/plan.pb.h"

namespace sluis::cli {
namespace {

namespace v1 = ::sluis::linker::v1;
using linker::PatternCode;
using linker::ReviewDecision;
using linker::ReviewVerdict;
using nlohmann::ordered_json;

constexpr std::size_t kMaxReviewerBytes = 200;
constexpr std::string_view kDifferent = "DIFFERENT", kExact = "EXACT", kMissing = "MISSING";

// Names of a field's levels by number: MISSING, DIFFERENT, SIMILAR_1 (least) and so on, EXACT.
std::vector<std::string> LevelNames() {
  const std::size_t levels = linker::LevelCount(linker::FieldRule());
  std::vector<std::string> names = {std::string(kMissing), std::string(kDifferent)};
  for (std::size_t level = 2; level < levels; ++level) names.push_back(absl::StrCat("SIMILAR_", level - 1));
  names.emplace_back(kExact);
  return names;
}

ordered_json AgreementJson(PatternCode pattern, const linker::MatchPlan& plan) {
  static const std::vector<std::string> kNames = LevelNames();
  ordered_json agreement = ordered_json::object();
  for (std::size_t field = 0; field < plan.encoding.features.size(); ++field) {
    agreement[plan.encoding.features[field].name] = kNames[linker::LevelOf(pattern, field)];
  }
  return agreement;
}

std::optional<PatternCode> ReadAgreement(const v1::ReviewedPattern& document, const linker::MatchPlan& plan) {
  static const std::vector<std::string> kNames = LevelNames();
  const auto& features = plan.encoding.features;
  if (document.agreement_size() != static_cast<int>(features.size())) return std::nullopt;
  PatternCode pattern = 0;
  for (std::size_t field = 0; field < features.size(); ++field) {
    const auto given = document.agreement().find(features[field].name);
    if (given == document.agreement().end()) return std::nullopt;
    const auto level = std::ranges::find(kNames, given->second);
    if (level == kNames.end()) return std::nullopt;
    pattern |= linker::AtField(static_cast<linker::AgreementLevel>(level - kNames.begin()), field);
  }
  return pattern;
}

std::string_view DecisionName(ReviewVerdict verdict) { return verdict == ReviewVerdict::kMatch ? "MATCH" : "NO_MATCH"; }

const ReviewDecision* FindDecision(std::span<const linker::ReviewedComparison> decided, const std::string& a,
                                   const std::string& b, PatternCode pattern) {
  for (const linker::ReviewedComparison& comparison : decided) {
    if (comparison.source_a != a || comparison.source_b != b) continue;
    for (const ReviewDecision& decision : comparison.decisions) {
      if (decision.pattern == pattern) return &decision;
    }
  }
  return nullptr;
}

bool IsDate(const std::string& text) {
  constexpr std::string_view kForm = "dddd-dd-dd";
  return text.size() >= kForm.size() && text.size() <= 40 &&
         std::equal(kForm.begin(), kForm.end(), text.begin(),
                    [](char form, char c) { return form == 'd' ? c >= '0' && c <= '9' : c == form; });
}

std::string Text(const ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

absl::StatusOr<std::optional<ReviewDecision>> ReadPattern(const v1::ReviewedPattern& document,
                                                          const linker::MatchPlan& plan, std::set<PatternCode>& seen) {
  const std::optional<PatternCode> pattern = ReadAgreement(document, plan);
  if (!pattern) {
    return absl::InvalidArgumentError(
        "agreement must give each field of the plan one of MISSING, DIFFERENT, SIMILAR_1 to SIMILAR_3 and EXACT");
  }
  if (!seen.insert(*pattern).second) return absl::InvalidArgumentError("the pattern is there twice");
  if (document.decision() == v1::ReviewedPattern::DECISION_UNSPECIFIED ||
      document.decision() == v1::ReviewedPattern::UNDECIDED) {
    return std::nullopt;
  }
  if (document.pairs() < plan.review_min_pairs) {
    return absl::InvalidArgumentError(
        absl::StrCat("a pattern of fewer than ", plan.review_min_pairs, " pairs (review_min_pairs) cannot be decided"));
  }
  ReviewDecision decision{*pattern};
  decision.verdict =
      document.decision() == v1::ReviewedPattern::MATCH ? ReviewVerdict::kMatch : ReviewVerdict::kNoMatch;
  if (document.has_certainty()) decision.certainty = document.certainty();
  return decision;
}

}  // namespace

std::string ReviewedPlanDigest(const linker::MatchPlan& plan, linker::MatchMode mode) {
  const common::Hash256 hash =
      common::Sha256(absl::StrCat("sluis-review-plan-1 ", std::string(ModeName(mode)), "\n", PlanDocument(plan)));
  return common::HexEncode(common::AsChars(hash));
}

std::string ReviewDocument(std::span<const std::string> sources, const linker::MatchPlan& plan, linker::MatchMode mode,
                           const linker::MatchReport& result, std::span<const linker::ReviewedComparison> decided) {
  std::string out =
      "# Agreement patterns that the model finds doubtful. Set decision to MATCH or NO_MATCH where you are sure of it "
      "for\n"
      "# all pairs of the pattern (certainty: 0.5 to 0.999, how sure; 0.95 if left out), say who and when, and give "
      "the\n"
      "# file back with --review-in. Similarity grows from SIMILAR_1 to SIMILAR_3.\n";
  absl::StrAppend(&out, "plan_digest: \"", ReviewedPlanDigest(plan, mode), "\"\nreviewer: \"\"\nreviewed_at: \"\"\n",
                  "comparisons:");
  bool any = false;
  for (const linker::ComparisonReport& compared : result.comparisons) {
    if (compared.review.patterns.empty() && !compared.review.pairs_hidden) continue;
    any = true;
    const std::string& a = sources[compared.source_a];
    const std::string& b = sources[compared.source_b];
    absl::StrAppend(&out, "\n  - source_a: ", Text(a), "\n    source_b: ", Text(b));
    if (compared.review.pairs_hidden) absl::StrAppend(&out, "\n    pairs_hidden: ", *compared.review.pairs_hidden);
    absl::StrAppend(&out, "\n    patterns:", compared.review.patterns.empty() ? " []" : "");
    for (const linker::ReviewPattern& shown : compared.review.patterns) {
      ordered_json json = {{"agreement", AgreementJson(shown.pattern, plan)},
                           {"pairs", shown.pairs},
                           {"probability", std::round(1e4 / (1 + std::exp(-shown.log_odds))) / 1e4},
                           {"decision", "UNDECIDED"}};
      if (const ReviewDecision* const decision = FindDecision(decided, a, b, shown.pattern)) {
        json["decision"] = DecisionName(decision->verdict);
        json["certainty"] = decision->certainty;
      }
      absl::StrAppend(&out, "\n      - ", Text(json));
    }
  }
  absl::StrAppend(&out, any ? "\n" : " []\n");
  return out;
}

absl::StatusOr<Review> ReadReview(std::string_view document, const linker::MatchPlan& plan, linker::MatchMode mode) {
  v1::MatchReview message;
  if (absl::Status status = common::ParseYaml(document, message); !status.ok()) {
    return common::Annotate(status, "the review");
  }
  if (message.plan_digest() != ReviewedPlanDigest(plan, mode)) {
    return absl::InvalidArgumentError(
        "the review is of another plan or mode (plan_digest): make a new one with --review-out");
  }
  Review review{message.reviewer(), message.reviewed_at(), {}};
  bool any = false;
  for (const v1::ReviewedComparison& comparison : message.comparisons()) {
    linker::ReviewedComparison& out =
        review.decisions.emplace_back(linker::ReviewedComparison{comparison.source_a(), comparison.source_b(), {}});
    for (std::size_t earlier = 0; earlier + 1 < review.decisions.size(); ++earlier) {
      if (review.decisions[earlier].source_a == out.source_a && review.decisions[earlier].source_b == out.source_b) {
        return absl::InvalidArgumentError("the review has two parts about the same two sources");
      }
    }
    std::set<PatternCode> seen;
    for (int i = 0; i < comparison.patterns_size(); ++i) {
      const auto decision = ReadPattern(comparison.patterns(i), plan, seen);
      if (!decision.ok()) {
        return common::Annotate(decision.status(), absl::StrCat("the review: comparisons[", review.decisions.size() - 1,
                                                                "].patterns[", i, "]"));
      }
      if (*decision) out.decisions.push_back(**decision);
    }
    any = any || !out.decisions.empty();
  }
  if (any && (review.reviewer.empty() || review.reviewer.size() > kMaxReviewerBytes || !IsDate(review.reviewed_at))) {
    return absl::InvalidArgumentError(
        "the review: reviewer must say who decided, in at most 200 bytes, and reviewed_at when (yyyy-mm-dd)");
  }
  return review;
}

ordered_json ReviewJson(const Review& review, const linker::MatchPlan& plan) {
  ordered_json decisions = ordered_json::array();
  for (const linker::ReviewedComparison& comparison : review.decisions) {
    for (const ReviewDecision& decision : comparison.decisions) {
      decisions.push_back({{"source_a", comparison.source_a},
                           {"source_b", comparison.source_b},
                           {"agreement", AgreementJson(decision.pattern, plan)},
                           {"decision", DecisionName(decision.verdict)},
                           {"certainty", decision.certainty}});
    }
  }
  return {{"reviewer", review.reviewer}, {"reviewed_at", review.reviewed_at}, {"decisions", std::move(decisions)}};
}

}  // namespace sluis::cli
