#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "cli/app/await_job.h"
#include "cli/app/client.h"
#include "cli/app/command.h"
#include "cli/app/request_id.h"
#include "common/bytes/secret.h"
#include "common/status/status.h"
#include "proto/sluis/linker/v1/linker.grpc.pb.h"

namespace sluis::cli {
namespace {

namespace v1 = linker::v1;

constexpr std::chrono::seconds kCallTimeout(60);

nlohmann::ordered_json ToJson(const v1::EstimatedPercent& percent) {
  return {{"value", percent.value()}, {"low", percent.low()}, {"high", percent.high()}};
}

nlohmann::ordered_json ToJson(const v1::SimilarityReport& similarity) {
  nlohmann::ordered_json out = {{"credible", similarity.outcome() == v1::SimilarityReport::CREDIBLE},
                                {"nothing_left", similarity.outcome() == v1::SimilarityReport::NOTHING_LEFT},
                                {"linked", similarity.linked_entities()},
                                {"linked_records", similarity.linked_records()}};
  if (similarity.outcome() == v1::SimilarityReport::CREDIBLE) {
    out["precision_percent"] = ToJson(similarity.precision());
    out["recall_percent"] = ToJson(similarity.recall());
  }
  return out;
}

nlohmann::ordered_json ToJson(const v1::GetLinkJobResponse& job) {
  nlohmann::ordered_json out = {{"link_set", job.link_set_id()}, {"registers", nlohmann::ordered_json::array()}};
  for (const v1::RegisterReport& r : job.reports()) {
    nlohmann::ordered_json one = {{"register", r.register_()}, {"withheld", r.withheld()}};
    if (!r.withheld()) {
      one["records"] = r.records();
      one["entities"] = r.entities();
      for (const v1::PassReport& p : r.passes()) {
        one["passes"].push_back({{"match_key", p.match_key()},
                                 {"linked", p.linked_entities()},
                                 {"conflicts", p.conflicts()},
                                 {"ambiguous", p.ambiguous()}});
      }
      if (r.has_similarity()) one["similarity"] = ToJson(r.similarity());
      one["unlinked_entities"] = r.unlinked_entities();
      one["unlinked_records"] = r.unlinked_records();
    }
    out["registers"].push_back(std::move(one));
  }
  return out;
}

std::string Words(const v1::EstimatedPercent& percent) {
  return absl::StrCat(percent.value(), " % (", percent.low(), " to ", percent.high(), ")");
}

std::string Words(const v1::SimilarityReport& similarity) {
  switch (similarity.outcome()) {
    case v1::SimilarityReport::CREDIBLE:
      return absl::StrCat("linked ", similarity.linked_entities(), "; estimated precision ",
                          Words(similarity.precision()), ", recall ", Words(similarity.recall()));
    case v1::SimilarityReport::NOTHING_LEFT:
      return "nothing left to link";
    default:
      return "linked nothing: no credible estimate of how good links would be (too few records, or too unlike)";
  }
}

// A label of a line, as wide as all of them.
std::string Label(std::string text) {
  text.resize(std::max<std::size_t>(text.size(), 32), ' ');
  return text;
}

void PrintReport(const v1::GetLinkJobResponse& job, const common::Permit& permit) {
  std::cout << "Link set " << job.link_set_id() << "\n"
            << "Counts are rounded to multiples of " << permit.report_rounding
            << " (0 can be a few); registers with fewer than " << permit.report_minimum_records
            << " records are withheld.\n";
  for (const v1::RegisterReport& r : job.reports()) {
    std::cout << "\n" << r.register_();
    if (r.withheld()) {
      std::cout << ": too few records for a report\n";
      continue;
    }
    std::cout << ": " << r.records() << " records of " << r.entities() << " persons\n";
    for (const v1::PassReport& p : r.passes()) {
      std::cout << Label("  by " + p.match_key()) << " linked " << p.linked_entities() << ", conflicts "
                << p.conflicts() << ", ambiguous " << p.ambiguous() << "\n";
    }
    if (r.has_similarity()) std::cout << Label("  by similarity") << " " << Words(r.similarity()) << "\n";
    std::cout << Label("  not found on the backbone") << " " << r.unlinked_entities() << " persons, "
              << r.unlinked_records() << " records\n";
  }
}

absl::Status RunLink(const std::string& config_path, const std::string& permit_directory, const std::string& request_id,
                     const Globals& globals) {
  SLUIS_ASSIGN_OR_RETURN(const Client client, Client::Open(config_path, permit_directory));
  SLUIS_ASSIGN_OR_RETURN(const auto channel, client.Linker());
  const auto stub = v1::Linker::NewStub(channel);
  const common::Permit& permit = client.permit.permit;

  v1::StartLinkRequest start;
  start.set_permit_id(permit.id);
  start.set_permit_sha256(std::string(common::AsChars(permit.sha256)));
  start.set_request_id(request_id.empty() ? NewRequestId() : request_id);
  v1::StartLinkResponse started;
  {
    grpc::ClientContext context;
    SetDeadline(context, kCallTimeout);
    SLUIS_RETURN_IF_ERROR(CallStatus(stub->StartLink(&context, start, &started), "linker"));
  }

  v1::GetLinkJobResponse last;
  const auto poll = [&]() -> absl::StatusOr<JobState> {
    v1::GetLinkJobRequest request;
    request.set_permit_id(permit.id);
    request.set_job_id(started.job_id());
    v1::GetLinkJobResponse job;
    grpc::ClientContext context;
    SetDeadline(context, kCallTimeout);
    SLUIS_RETURN_IF_ERROR(CallStatus(stub->GetLinkJob(&context, request, &job), "linker"));
    if (job.state() == v1::GetLinkJobResponse::FAILED) {
      return JobFailure("linker", job.message(), job.reason());
    }
    last = std::move(job);
    if (last.state() == v1::GetLinkJobResponse::DONE) return JobState{JobState::Stage::kDone, 100};
    if (last.state() == v1::GetLinkJobResponse::CANCELLED) return JobState{JobState::Stage::kCancelled};
    return JobState{JobState::Stage::kRunning, last.percent()};
  };
  const auto cancel = [&] {
    v1::CancelLinkJobRequest request;
    request.set_permit_id(permit.id);
    request.set_job_id(started.job_id());
    v1::CancelLinkJobResponse response;
    grpc::ClientContext context;
    SetDeadline(context, kCallTimeout);
    return CallStatus(stub->CancelLinkJob(&context, request, &response), "linker");
  };
  SLUIS_RETURN_IF_ERROR(AwaitJob(
      {.label = "link", .poll = poll, .cancel = cancel, .cancelled = "the linkage was cancelled; nothing was changed"},
      globals.quiet));
  if (globals.json) {
    std::cout << ToJson(last).dump(2) << "\n";
  } else {
    PrintReport(last, permit);
  }
  return absl::OkStatus();
}

}  // namespace

void AddLinkCommand(CLI::App& app, Globals& globals) {
  struct Options {
    std::string config, permit, request_id;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("link", "Link all current deliveries of a permit to the backbone; prints the linkage report");
  command->footer("Example:\n  sluis link --config office.yaml --permit permits/integration");
  command->add_option("--config", options->config, "Configuration of this party")->required();
  command->add_option("--permit", options->permit, "Folder with the permit")->required();
  command->add_option("--request-id", options->request_id,
                      "Repeat it to find a started linkage again (default: a new one)");
  OnRun(command, globals,
        [options, &globals] { return RunLink(options->config, options->permit, options->request_id, globals); });
}

}  // namespace sluis::cli
