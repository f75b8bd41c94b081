#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "common/status/matchers.h"
#include "linker/score/record_level.h"
#include "tests/linker/score/synthetic.h"

// Whether the estimates made without truth agree with the truth, over many seeds.

namespace sluis::linker {
namespace {

using testing::MakeSynthetic;
using testing::Synthetic;
using testing::SyntheticOptions;
using testing::Truth;
using testing::TruthOf;

RecordLevelFit Link(const Synthetic& data, std::uint64_t seed = 1) {
  const auto scorer = ScoreExhaustively(data.a, &data.b);
  auto fit = FitRecordLevel(data.a, &data.b, *scorer, {.fit = {.resamplings = 20, .seed = seed}});
  if (!fit.ok()) {
    ADD_FAILURE() << fit.status();
    return {};
  }
  return *std::move(fit);
}

struct Summary {
  int credible = 0;
  int runs = 0;
  double precision_bias = 0;  // estimate minus truth, means over credible runs
  double recall_bias = 0;
  double precision_worst = 0;  // absolute
  double recall_worst = 0;
  double precision = 0;  // true, means
  double recall = 0;
  int false_links = 0;  // of all runs
};

Summary Measure(SyntheticOptions options, int runs) {
  Summary summary;
  for (int run = 0; run < runs; ++run) {
    options.seed = 1000 + static_cast<std::uint64_t>(run);
    const Synthetic data = MakeSynthetic(options);
    const RecordLevelFit fit = Link(data);
    const Truth truth = TruthOf(fit, data);
    ++summary.runs;
    summary.false_links +=
        static_cast<int>(std::lround((1 - truth.precision) * static_cast<double>(fit.links.size())));
    if (!fit.fit.credible) {
      EXPECT_FALSE(fit.fit.why_not.empty());
      EXPECT_TRUE(fit.pairs.empty());
      EXPECT_TRUE(fit.links.empty());
      continue;
    }
    ++summary.credible;
    const double precision = fit.fit.precision.value - truth.precision;
    const double recall = fit.fit.recall.value - truth.recall;
    summary.precision_bias += precision;
    summary.recall_bias += recall;
    summary.precision_worst = std::max(summary.precision_worst, std::abs(precision));
    summary.recall_worst = std::max(summary.recall_worst, std::abs(recall));
    summary.precision += truth.precision;
    summary.recall += truth.recall;
  }
  if (summary.credible > 0) {
    for (double* mean : {&summary.precision_bias, &summary.recall_bias, &summary.precision, &summary.recall}) {
      *mean /= summary.credible;
    }
  }
  std::printf("credible %d of %d, precision %.4f (bias %+.4f, worst %.4f), recall %.4f (bias %+.4f, worst %.4f), false %d\n",
              summary.credible, summary.runs, summary.precision, summary.precision_bias, summary.precision_worst,
              summary.recall, summary.recall_bias, summary.recall_worst, summary.false_links);
  return summary;
}

TEST(Calibration, HalfMatch) { Measure({}, 8); }
TEST(Calibration, HalfMatchDirty) { Measure({.error = 0.5}, 8); }
TEST(Calibration, HalfMatchUnevenlyDirty) { Measure({.error = 0.45, .spread = 1}, 8); }
TEST(Calibration, VeryDirty) { Measure({.error = 0.8}, 8); }
TEST(Calibration, AllMatch) { Measure({.matches = 800, .error = 0.3}, 8); }
TEST(Calibration, NoneMatch) { Measure({.matches = 0}, 12); }
TEST(Calibration, OneMatches) { Measure({.rows_a = 1500, .rows_b = 1500, .matches = 1}, 5); }
TEST(Calibration, TenMatch) { Measure({.rows_a = 1500, .rows_b = 1500, .matches = 10}, 5); }
TEST(Calibration, HundredMatch) { Measure({.rows_a = 1500, .rows_b = 1500, .matches = 100, .error = .3}, 5); }
TEST(Calibration, FewFields) { Measure({.fields = 2, .error = 0.2}, 8); }
TEST(Calibration, FewFieldsNoMatch) { Measure({.matches = 0, .fields = 2}, 8); }
TEST(Calibration, UnequalSizes) { Measure({.rows_a = 200, .rows_b = 3000, .matches = 100, .error = .3}, 5); }
TEST(Calibration, Small) { Measure({.rows_a = 60, .rows_b = 60, .matches = 30, .error = .2}, 8); }
TEST(Calibration, SmallNone) { Measure({.rows_a = 40, .rows_b = 40, .matches = 0, .error = .2}, 40); }

}  // namespace
}  // namespace sluis::linker
