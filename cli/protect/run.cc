#include "cli/protect/run.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/app/exit_code.h"
#include "cli/app/resources.h"
#include "cli/app/steps.h"
#include "cli/app/stop_on_interrupt.h"
#include "cli/app/threads.h"
#include "cli/attack/judge.h"
#include "cli/attack/verdict_json.h"
#include "cli/protect/engine.h"
#include "cli/protect/suppressed_sums.h"
#include "cli/tables/input_files.h"
#include "cli/tables/pattern_file.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

using disclosure::CellSystem;

constexpr std::size_t kMaxNamed = 5;

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

// What a pattern suppresses, in numbers.
struct PatternCounts {
  std::int64_t primary = 0;
  std::int64_t secondary = 0;
  std::int64_t suppressed_value = 0;
  std::int64_t secondary_value = 0;
  std::int64_t secondary_cost = 0;
};

PatternCounts CountPattern(const CellTable& table, const CellSystem& system, const disclosure::Pattern& pattern) {
  PatternCounts counts;
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    if (pattern[Index(i)] == 0) continue;
    counts.suppressed_value += table.value[Index(i)];
    if (system.IsPrimary(i)) {
      ++counts.primary;
    } else {
      ++counts.secondary;
      counts.secondary_value += table.value[Index(i)];
      counts.secondary_cost += system.cost[Index(i)];
    }
  }
  return counts;
}

class Run {
 public:
  Run(const ProtectCommand& command, bool json, bool quiet) : command_(command), json_(json), steps_(quiet) {}

  absl::StatusOr<int> Protect() {
    SLUIS_RETURN_IF_ERROR(CheckCommand());
    steps_.Begin("read", "");
    if (const absl::Status read = Read(); !read.ok()) return ReportBadData(read, json_);
    auto result = Suppress();
    steps_.End();
    if (absl::IsFailedPrecondition(result.status())) return NameUnprotectable(result.status());
    if (!result.ok()) return NameCells(result.status(), *table_);
    auto verdict = Judge(*result);
    if (!verdict.ok()) return verdict.status();
    steps_.End();
    verdict->exact_conceded =
        !verdict->exact.empty() && std::none_of(verdict->exact.begin(), verdict->exact.end(),
                                                [this](std::int32_t cell) { return system_->IsPrimary(cell); });
    if (!verdict->holds()) {
      std::cerr << ToText(*verdict, *table_);
      ReportError(absl::DataLossError("the judge broke the pattern, so that nothing was written: please report this"),
                  json_);
      return kExitNotVerified;
    }
    SLUIS_RETURN_IF_ERROR(Write(*result, *verdict));
    if (verdict->exact_conceded) {
      std::cerr
          << "warning: " << verdict->exact.size()
          << " suppressed cells can be recomputed exactly, whatever else is suppressed. None of them is sensitive:"
             " publishing them tells readers nothing new\n";
    }
    return kExitOk;
  }

 private:
  absl::Status CheckCommand() {
    if (command_.out.empty()) return absl::InvalidArgumentError("--out is needed: the file for the pattern");
    if (command_.time_limit_seconds &&
        !(*command_.time_limit_seconds > 0 && std::isfinite(*command_.time_limit_seconds))) {
      return absl::InvalidArgumentError("--time-limit must be above 0 seconds: leave it out to have none");
    }
    if (command_.effort && *command_.effort < 0) return absl::InvalidArgumentError("--effort must be 0 or more steps");
    SLUIS_RETURN_IF_ERROR(CheckThreads(command_.threads));
    SLUIS_RETURN_IF_ERROR(CheckTableFiles(command_.table));
    SLUIS_ASSIGN_OR_RETURN(cost_, ParseCostKind(command_.cost));
    return CheckOutputs(InputPaths(command_.table), {command_.out, command_.certificate, command_.summary});
  }

  absl::Status Read() {
    TableFiles files = command_.table;
    files.read.levels = !command_.rules;
    if (command_.rules) files.top_contributions = std::max(2, ContributionsNeeded(*command_.rules));
    SLUIS_ASSIGN_OR_RETURN(table_, LoadTable(files));
    SLUIS_ASSIGN_OR_RETURN(
        system_,
        MakeSystem(*table_, {.cost = cost_, .rules = command_.rules, .contributors = command_.table.contributors}));
    primary_.resize(Index(table_->num_cells));
    for (std::int32_t i = 0; i < table_->num_cells; ++i) primary_[Index(i)] = system_->IsPrimary(i);
    return absl::OkStatus();
  }

  absl::StatusOr<EngineResult> Suppress() {
    EngineOptions options;
    options.effort = command_.effort;
    options.time_limit_seconds = command_.time_limit_seconds;
    options.threads = ThreadsOf(command_.threads);
    options.cancelled = interrupt_.flag();
    options.progress = [this](const std::string& step, std::int64_t done, std::int64_t total) {
      steps_.Update(step, "", done, total);
    };
    steps_.Begin("protect", "");
    if (command_.rules && command_.rules->suppressed_sum) {
      return RunEngineUnderSums(*table_, *system_, *command_.rules->suppressed_sum, options);
    }
    return RunEngine(*system_, options);
  }

  JudgeOptions ForJudge() {
    JudgeOptions options;
    if (command_.rules) options.suppressed_sum = command_.rules->suppressed_sum;
    options.threads = static_cast<int>(ThreadsOf(command_.threads));
    options.cancelled = interrupt_.flag();
    options.progress = [this](const std::string& step, std::int64_t done, std::int64_t total) {
      steps_.Update(step, step == "verify" ? "levels" : "cells", done, total);
    };
    return options;
  }

  absl::StatusOr<Verdict> Judge(const EngineResult& result) {
    disclosure::Pattern pattern = result.pattern;
    std::fill(pattern.begin() + table_->num_named(), pattern.end(), 1);  // auxiliary sums are never published
    return JudgeLevels(*table_, *system_, pattern, &result.certificate, ForJudge());
  }

  // Which cells fall short even if everything is suppressed that may be.
  absl::StatusOr<int> NameUnprotectable(const absl::Status& status) {
    disclosure::AttackOptions options;
    options.threads = ForJudge().threads;
    options.cancelled = interrupt_.flag();
    const auto report = disclosure::VerifyLevels(*system_, system_->suppressible, options);
    steps_.End();
    if (!report.ok()) return NameCells(report.status(), *table_);
    std::string text(status.message());
    std::vector<std::int32_t> cells;
    for (const disclosure::Shortfall& shortfall : report->shortfalls) {
      if (cells.empty() || cells.back() != shortfall.cell) cells.push_back(shortfall.cell);
    }
    for (std::size_t i = 0; i < std::min(cells.size(), kMaxNamed); ++i) {
      absl::StrAppend(&text, i == 0 ? ": " : "; ", table_->Describe(cells[i]));
    }
    if (cells.size() > kMaxNamed) absl::StrAppend(&text, " and ", cells.size() - kMaxNamed, " more");
    return ReportError(absl::FailedPreconditionError(text), json_);
  }

  absl::Status Write(const EngineResult& result, const Verdict& verdict) {
    steps_.Begin("write", "");
    if (!command_.certificate.empty()) {
      const std::vector<std::byte> bytes = disclosure::EncodeCertificate(result.certificate);
      SLUIS_RETURN_IF_ERROR(
          WriteOutput(command_.certificate, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    }
    SLUIS_RETURN_IF_ERROR(WriteOutput(command_.out, PatternCsv(table_->names, primary_, result.pattern)));
    steps_.End();
    const PatternCounts counts = CountPattern(*table_, *system_, result.pattern);
    const std::string summary = Summary(result, verdict, counts);
    if (!command_.summary.empty()) SLUIS_RETURN_IF_ERROR(WriteOutput(command_.summary, summary));
    std::cout << (json_ ? summary : Text(result, verdict, counts));
    return absl::OkStatus();
  }

  std::string Summary(const EngineResult& result, const Verdict& verdict, const PatternCounts& counts) const {
    nlohmann::ordered_json json = {
        {"format", 1}, {"cells", table_->num_named()}, {"relations", table_->relations.size()}};
    json["sensitive_cells"] = counts.primary;
    json["suppressed_cells"] = counts.primary + counts.secondary;
    json["suppressed_value"] = counts.suppressed_value;
    json["secondary_cells"] = counts.secondary;
    json["secondary_value"] = counts.secondary_value;
    json["cost"] = table_->cost.empty() ? std::string(CostKindName(cost_)) : std::string("column");
    json["secondary_cost"] = counts.secondary_cost;
    json["lower_bound"] = result.lower_bound;
    json["proven_optimal"] = result.proven_optimal;
    json["effort_complete"] = result.complete;
    json["linear_programs"] = result.linear_programs;
    json["engine"] = result.statistics;
    json["audit"] = ToJson(verdict, *table_);
    json["threads"] = ThreadsOf(command_.threads);
    json["seconds"] = steps_.seconds();
    json["cpu_seconds"] = CpuSeconds();
    json["peak_memory_bytes"] = PeakMemoryBytes();
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }

  std::string Text(const EngineResult& result, const Verdict& verdict, const PatternCounts& counts) const {
    std::string text =
        absl::StrCat("cells                       ", table_->num_named(), "\nsensitive                   ",
                     counts.primary, "\nsecondary                   ", counts.secondary, ", value ",
                     counts.secondary_value, ", cost ", counts.secondary_cost, "\n");
    if (result.proven_optimal) {
      text += "no cheaper pattern is safe (proven)\n";
    } else {
      absl::StrAppend(&text, "no safe pattern costs less than ", result.lower_bound, "\n");
    }
    if (!result.complete) text += "the time limit cut the effort short; the pattern is safe all the same\n";
    return text + ToText(verdict, *table_);
  }

  const ProtectCommand& command_;
  const bool json_;
  StopOnInterrupt interrupt_;
  Steps steps_;
  CostKind cost_ = CostKind::kValue;
  std::optional<CellTable> table_;
  std::optional<CellSystem> system_;
  std::vector<std::uint8_t> primary_;
};

}  // namespace

absl::StatusOr<int> RunProtect(const ProtectCommand& command, bool json, bool quiet) {
  return Run(command, json, quiet).Protect();
}

}  // namespace sluis::cli
