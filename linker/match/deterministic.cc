#include "linker/match/deterministic.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/match/backbone_table.h"
#include "linker/match/satellite_linker.h"

namespace sluis::linker {
namespace {

// Table slots, half as many again, are 32-bit numbers.
constexpr std::uint64_t kMaxRecords = std::uint64_t{1} << 31;

absl::Status CheckRegister(const RegisterTokens& input, std::size_t match_keys) {
  if (input.source->records() > kMaxRecords) {
    return absl::InvalidArgumentError(
        absl::StrCat("register ", input.name, ": more than ", kMaxRecords, " records cannot be linked at once"));
  }
  int last = -1;
  for (const int pass : input.passes) {
    if (pass <= last || pass >= static_cast<int>(match_keys)) {
      return absl::InvalidArgumentError(
          absl::StrCat("register ", input.name, ": token columns must follow the permit's order of match keys"));
    }
    last = pass;
  }
  return absl::OkStatus();
}

// How the memory is shared out.
struct Plan {
  bool share_tables = false;  // whole tables of all backbone columns, made once
  int threads = 1;
  std::uint64_t bytes_per_thread = 0;
};

absl::StatusOr<Plan> PlanMemory(const RegisterTokens& backbone, std::span<const RegisterTokens> satellites,
                                const LinkOptions& options) {
  std::uint64_t least = 0;
  // What one satellite takes beside whole tables: its state, the claims, the grouping of records to entities.
  std::uint64_t ample = 0;
  const std::uint64_t slots = TupleTable::SlotsFor(backbone.source->records());
  for (const RegisterTokens& satellite : satellites) {
    const std::uint64_t needed = SatelliteLinker::LeastMemory(backbone, satellite);
    least = std::max(least, needed);
    const std::uint64_t columns = satellite.passes.size();
    const std::uint64_t claims =
        satellite.many_per_person && columns > 0 ? slots * (4 + (columns - 1) * sizeof(Token)) : slots;
    const std::uint64_t grouping = satellite.many_per_person ? TupleTable::SlotsFor(satellite.source->records()) *
                                                                   TupleTable::BytesPerSlot(columns)
                                                             : 0;
    ample = std::max(ample, needed + std::max(claims, grouping));
  }
  if (options.memory_bytes < least) {
    return absl::ResourceExhaustedError(absl::StrCat("the linkage needs a memory bound of at least ", least,
                                                     " bytes for its largest register, not ", options.memory_bytes));
  }
  const std::uint64_t tables = BackboneTable::Bytes(backbone.source->records()) * backbone.passes.size();
  const int workers = std::max(1, std::min(options.threads, static_cast<int>(satellites.size())));
  for (int threads = workers; threads >= 1; --threads) {
    if (options.memory_bytes >= tables && (options.memory_bytes - tables) / static_cast<unsigned>(threads) >= ample) {
      return Plan{true, threads, (options.memory_bytes - tables) / static_cast<unsigned>(threads)};
    }
  }
  int threads = workers;
  while (options.memory_bytes / static_cast<unsigned>(threads) < least) {
    --threads;
  }
  return Plan{false, threads, options.memory_bytes / static_cast<unsigned>(threads)};
}

}  // namespace

absl::Status LinkSatellites(const RegisterTokens& backbone, std::span<const RegisterTokens> satellites,
                            const std::vector<std::string>& match_keys, const LinkOptions& options,
                            const std::function<absl::Status(std::size_t satellite, SatelliteLinks links)>& sink) {
  if (match_keys.size() > kMaxMatchKeys) {
    return absl::InvalidArgumentError(absl::StrCat("at most ", kMaxMatchKeys, " match keys can be linked by"));
  }
  SLUIS_RETURN_IF_ERROR(CheckRegister(backbone, match_keys.size()));
  for (const RegisterTokens& satellite : satellites) {
    SLUIS_RETURN_IF_ERROR(CheckRegister(satellite, match_keys.size()));
  }
  SLUIS_ASSIGN_OR_RETURN(const Plan plan, PlanMemory(backbone, satellites, options));

  LinkProgress progress(options);
  std::vector<BackboneTable> tables;
  std::vector<std::size_t> columns;
  if (plan.share_tables) {
    for (std::size_t column = 0; column < backbone.passes.size(); ++column) {
      columns.push_back(column);
      tables.emplace_back(0);  // takes the real one's place while the scans are counted
    }
    progress.AddToTotal(backbone.source->records());
  }
  const auto linker_of = [&](std::size_t satellite) {
    return SatelliteLinker(backbone, satellites[satellite], match_keys, tables, plan.bytes_per_thread, progress);
  };
  for (std::size_t satellite = 0; satellite < satellites.size(); ++satellite) {
    progress.AddToTotal(linker_of(satellite).PlannedScans());
  }
  if (plan.share_tables) {
    SLUIS_ASSIGN_OR_RETURN(tables, BuildBackboneTables(backbone, columns, Partition{}, progress));
  }

  std::atomic<std::size_t> next = 0;
  std::mutex mutex;  // guards `sink` and `outcome`
  absl::Status outcome;
  const auto work = [&] {
    for (std::size_t satellite = next++; satellite < satellites.size(); satellite = next++) {
      SatelliteLinker linker = linker_of(satellite);
      absl::Status status = linker.Run();
      const std::scoped_lock lock(mutex);
      if (status.ok() && outcome.ok()) {
        status = sink(satellite, linker.TakeLinks());
      }
      if (!status.ok()) {
        // The first failure is the cause; the others are cancelled because of it.
        outcome.Update(status);
        progress.Stop();
        return;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < plan.threads; ++i) {
    threads.emplace_back(work);
  }
  work();
  for (std::thread& thread : threads) {
    thread.join();
  }
  return outcome;
}

}  // namespace sluis::linker
