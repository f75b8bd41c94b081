#include "cli/attack/run.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/app/exit_code.h"
#include "cli/app/resources.h"
#include "cli/app/steps.h"
#include "cli/app/stop_on_interrupt.h"
#include "cli/app/threads.h"
#include "cli/attack/contributor.h"
#include "cli/attack/judge.h"
#include "cli/attack/verdict_json.h"
#include "cli/tables/input_files.h"
#include "cli/tables/make_system.h"
#include "cli/tables/pattern_file.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::uint64_t kMaxCertificateBytes = std::uint64_t{8} << 30;

class Run {
 public:
  Run(const AttackCommand& command, bool json, bool quiet) : command_(command), json_(json), steps_(quiet) {}

  absl::StatusOr<int> Attack() {
    SLUIS_RETURN_IF_ERROR(CheckCommand());
    steps_.Begin("read", "");
    if (const absl::Status read = Read(); !read.ok()) return ReportBadData(read, json_);
    const absl::StatusOr<Verdict> judged = Judge();
    steps_.End();
    if (!judged.ok()) return ReportBadData(judged.status(), json_);  // what was published contradicts itself
    const Verdict& verdict = *judged;
    steps_.Begin("write", "");
    if (!command_.out.empty()) SLUIS_RETURN_IF_ERROR(WriteOutput(command_.out, IntervalsCsv(verdict, *table_)));
    steps_.End();
    const std::string summary = Summary(verdict);
    if (!command_.summary.empty()) SLUIS_RETURN_IF_ERROR(WriteOutput(command_.summary, summary));
    std::cout << (json_ ? summary : ToText(verdict, *table_));
    return verdict.holds() ? kExitOk : kExitNotVerified;
  }

 private:
  absl::Status CheckCommand() const {
    SLUIS_RETURN_IF_ERROR(CheckThreads(command_.threads));
    SLUIS_RETURN_IF_ERROR(CheckTableFiles(command_.table));
    if (command_.public_only && (!command_.certificate.empty() || command_.rules)) {
      return absl::InvalidArgumentError("--public leaves levels aside: leave --certificate and --rules out");
    }
    std::vector<std::string> inputs = InputPaths(command_.table);
    inputs.push_back(command_.pattern);
    inputs.push_back(command_.certificate);
    inputs.push_back(command_.contributor);
    return CheckOutputs(inputs, {command_.out, command_.summary});
  }

  // Everything that is read before the attack begins.
  absl::Status Read() {
    TableFiles files = command_.table;
    files.read.levels = !command_.public_only && !command_.rules;
    files.read.values_may_be_missing = true;
    if (command_.rules) files.top_contributions = std::max(2, ContributionsNeeded(*command_.rules));
    SLUIS_ASSIGN_OR_RETURN(table_, LoadTable(files));
    if (command_.pattern.empty()) {
      pattern_.assign(table_->known.size(), 0);
      for (std::size_t i = 0; i < pattern_.size(); ++i) pattern_[i] = table_->known[i] == 0;
      std::fill(pattern_.begin() + table_->num_named(), pattern_.end(), 1);
    } else {
      SLUIS_ASSIGN_OR_RETURN(pattern_, ReadPattern(command_.pattern, *table_));
    }
    if (command_.rules || !table_->primary.empty()) {
      SLUIS_ASSIGN_OR_RETURN(system_, MakeSystem(*table_, {.cost = CostKind::kUnit,
                                                           .rules = command_.rules,
                                                           .contributors = command_.table.contributors}));
    }
    if (!command_.contributor.empty()) {
      SLUIS_ASSIGN_OR_RETURN(known_, ReadContributor(command_.contributor, *table_));
    }
    if (command_.certificate.empty()) return absl::OkStatus();
    if (!system_) {
      return absl::InvalidArgumentError(
          "--certificate proves protection levels: give --rules, or the columns primary, lpl and upl");
    }
    SLUIS_ASSIGN_OR_RETURN(const std::string bytes,
                           common::ReadFileBounded(command_.certificate, kMaxCertificateBytes));
    auto certificate = disclosure::DecodeCertificate(std::as_bytes(std::span(bytes)));
    if (!certificate.ok()) return common::Annotate(certificate.status(), command_.certificate);
    certificate_ = *std::move(certificate);
    return absl::OkStatus();
  }

  absl::StatusOr<Verdict> Judge() {
    JudgeOptions options;
    if (command_.rules) options.suppressed_sum = command_.rules->suppressed_sum;
    options.all_intervals = command_.full || !command_.out.empty();
    options.threads = static_cast<int>(ThreadsOf(command_.threads));
    options.cancelled = interrupt_.flag();
    options.known = known_;
    options.progress = [this](const std::string& step, std::int64_t done, std::int64_t total) {
      steps_.Update(step, step == "verify" ? "levels" : "cells", done, total);
    };
    return system_ ? JudgeLevels(*table_, *system_, pattern_, certificate_ ? &*certificate_ : nullptr, options)
                   : JudgePublic(*table_, pattern_, options);
  }

  std::string Summary(const Verdict& verdict) const {
    nlohmann::ordered_json json = {
        {"format", 1}, {"cells", table_->num_named()}, {"relations", table_->relations.size()}};
    if (!command_.contributor.empty()) json["contributor_cells"] = known_.size();
    json["attack"] = ToJson(verdict, *table_);
    json["threads"] = ThreadsOf(command_.threads);
    json["seconds"] = steps_.seconds();
    json["cpu_seconds"] = CpuSeconds();
    json["peak_memory_bytes"] = PeakMemoryBytes();
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }

  const AttackCommand& command_;
  const bool json_;
  StopOnInterrupt interrupt_;
  Steps steps_;
  std::optional<CellTable> table_;
  disclosure::Pattern pattern_;
  std::vector<disclosure::KnownRange> known_;
  std::optional<disclosure::CellSystem> system_;
  std::optional<disclosure::Certificate> certificate_;
};

}  // namespace

absl::StatusOr<int> RunAttack(const AttackCommand& command, bool json, bool quiet) {
  return Run(command, json, quiet).Attack();
}

}  // namespace sluis::cli
