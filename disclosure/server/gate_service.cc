#include "disclosure/server/gate_service.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/entry/entry.h"
#include "common/rpc/server.h"
#include "common/status/status.h"
#include "disclosure/protect/package.h"
#include "disclosure/server/request_document.h"
#include "disclosure/server/rule_set_document.h"

namespace sluis::disclosure {
namespace {

using common::Caller;
using common::Role;

constexpr std::size_t kMaxRequestBytes = 1 << 20;
constexpr std::size_t kFileChunkBytes = 256 << 10;
constexpr char kDryRunPrefix[] = "dry-run-";

// Positions in the permit of all registers that a plan reads.
std::set<int> RegistersOf(const TablePlan& plan) {
  std::set<int> used;
  for (const PlannedVariable& variable : plan.variables) {
    used.insert(variable.scope);
    for (const VariableInput& input : variable.inputs) {
      if (input.register_index >= 0) used.insert(input.register_index);
    }
  }
  for (const PlannedAmount& amount : plan.amounts) used.insert(amount.register_index);
  for (const PlannedTable& table : plan.tables) used.insert(table.unit_register);
  return used;
}

absl::Status SendFile(const std::string& name, const std::string& bytes, grpc::ServerWriter<v1::FileChunk>& writer) {
  std::size_t at = 0;
  do {
    v1::FileChunk chunk;
    chunk.set_name(name);
    chunk.set_content(bytes.substr(at, kFileChunkBytes));
    if (!writer.Write(chunk)) return absl::CancelledError("the caller went away");
    at += kFileChunkBytes;
  } while (at < bytes.size());
  return absl::OkStatus();
}

}  // namespace

GateService::GateService(const GateParts& parts) : parts_(parts), guard_(parts.permits, AccessTable(), parts.metrics) {}

common::Guard::Table GateService::AccessTable() {
  return {{"Gate.StartTable", Role::kRequester},
          {"Gate.GetTableJob", Role::kRequester},
          {"Gate.CancelTableJob", Role::kRequester},
          {"Gate.GetRelease", Role::kRequester},
          {"Gate.GetEvidence", Role::kAuditor}};
}

absl::StatusOr<GateService::Project> GateService::Find(const std::string& permit_id, const std::string& permit_sha256,
                                                       const Caller& caller, Role role) const {
  SLUIS_ASSIGN_OR_RETURN(const common::PermitBundle* bundle,
                         parts_.permits.Find(permit_id, permit_sha256, common::Today()));
  SLUIS_RETURN_IF_ERROR(common::RequireRole(bundle->permit, caller, role));
  return Project{bundle, parts_.releases.find(permit_id)->second.get()};
}

absl::StatusOr<std::shared_ptr<const GateService::Work>> GateService::Read(const v1::StartTableRequest& request,
                                                                           const Caller& caller) {
  if (request.request_document().size() > kMaxRequestBytes) {
    return absl::InvalidArgumentError("request_document: at most 1 MiB is expected");
  }
  auto work = std::make_shared<Work>();
  work->document = request.request_document();
  work->dry_run = request.dry_run();
  work->requester = caller.identity;
  SLUIS_ASSIGN_OR_RETURN(work->request, ParseTableRequest(work->document));
  SLUIS_ASSIGN_OR_RETURN(work->project,
                         Find(work->request.permit_id, request.permit_sha256(), caller, Role::kRequester));
  const common::PermitBundle& bundle = *work->project.bundle;
  const auto read = [&]() -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(work->plan, PlanTables(work->request, bundle.permit, bundle.attachments));
    SLUIS_ASSIGN_OR_RETURN(NamedRuleSet rules, ParseRuleSet(bundle.attachments.at(bundle.permit.rule_set)));
    work->rules = std::move(rules.rules);
    work->registers = RegistersOf(work->plan);
    return absl::OkStatus();
  };
  if (const absl::Status status = read(); !status.ok()) {
    if (!work->dry_run) SLUIS_RETURN_IF_ERROR(LogRefusal(work->project, work->document, status));
    return status;
  }
  return std::shared_ptr<const Work>(std::move(work));
}

absl::Status GateService::LogDryRun(const Work& work) const {
  const std::string entry = common::FormatEntry("dry-run", common::NowSeconds(),
                                                {{"project", work.project.bundle->permit.id},
                                                 {"permit_sha256", common::HexOf(work.project.bundle->permit.sha256)},
                                                 {"request_sha256", common::HexOf(common::Sha256(work.document))},
                                                 {"requester", work.requester}});
  return parts_.log.Append(entry, common::WriteBatch()).status();
}

absl::Status GateService::LogRefusal(const Project& project, const std::string& document,
                                     const absl::Status& status) const {
  const std::string reason = common::ReasonOf(status);
  const std::string entry =
      common::FormatEntry(common::entry_type::kRefusal, common::NowSeconds(),
                          {{"project", project.bundle->permit.id},
                           {"permit_sha256", common::HexOf(project.bundle->permit.sha256)},
                           {"request_sha256", common::HexOf(common::Sha256(document))},
                           {"reason", reason.empty() ? absl::StatusCodeToString(status.code()) : reason}});
  return parts_.log.Append(entry, common::WriteBatch()).status();
}

grpc::Status GateService::StartTable(grpc::ServerContext* context, const v1::StartTableRequest* request,
                                     v1::StartTableResponse* response) {
  return guard_.Run(*context, "Gate.StartTable", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const std::shared_ptr<const Work> work, Read(*request, caller));
    const std::string request_sha256 = common::HexOf(common::Sha256(work->document));
    const std::string& permit_id = work->project.bundle->permit.id;
    if (work->dry_run) {
      response->set_job_id(absl::StrCat(kDryRunPrefix, request_sha256.substr(0, 32)));
      return jobs_.Start(absl::StrCat(permit_id, "/", response->job_id()),
                         [this, work](common::JobControl& control) { return Run(*work, control); });
    }
    if (work->request.id.starts_with(kDryRunPrefix))
      return absl::InvalidArgumentError("id: must not begin with dry-run-");
    response->set_job_id(work->request.id);
    SLUIS_ASSIGN_OR_RETURN(const auto released, work->project.releases->Find(work->request.id));
    if (released.has_value()) {
      if (released->request_sha256 == request_sha256) return absl::OkStatus();
      const absl::Status taken = common::WithReason(
          absl::FailedPreconditionError("another request with this id was released; give the new one an id of its own"),
          "REQUEST_ID_TAKEN");
      SLUIS_RETURN_IF_ERROR(LogRefusal(work->project, work->document, taken));
      return taken;
    }
    const std::string key = absl::StrCat(permit_id, "/", response->job_id());
    const std::lock_guard lock(started_mutex_);
    const auto running = jobs_.Get(key);
    if (running.ok() && running->Active() && started_[key] != request_sha256) {
      return common::WithReason(
          absl::FailedPreconditionError(
              "another request with this id is being worked on; give the new one an id of its own"),
          "REQUEST_ID_TAKEN");
    }
    started_[key] = request_sha256;
    return jobs_.Start(key, [this, work](common::JobControl& control) { return Run(*work, control); });
  });
}

absl::StatusOr<std::string> GateService::Run(const Work& work, common::JobControl& control) {
  if (work.dry_run) SLUIS_RETURN_IF_ERROR(LogDryRun(work));
  absl::StatusOr<std::string> result = Release(work, control);
  // What the data path found may be about single rows or cells: the requester gets a fixed sentence.
  if (absl::IsInvalidArgument(result.status()) || absl::IsInternal(result.status()) ||
      absl::IsOutOfRange(result.status())) {
    result =
        common::WithReason(absl::FailedPreconditionError(
                               "the rows of the link set cannot be tabulated as requested; ask the gate's operator"),
                           "NOT_TABULATED");
  }
  // What was refused is on record; what was cancelled or could not be reached is not a refusal.
  if (!result.ok() && !work.dry_run && !absl::IsCancelled(result.status()) && !absl::IsUnavailable(result.status())) {
    SLUIS_RETURN_IF_ERROR(LogRefusal(work.project, work.document, result.status()));
  }
  if (!result.ok()) {
    common::LogWarning("table_refused", {{"project", work.project.bundle->permit.id},
                                         {"code", absl::StatusCodeToString(result.status().code())},
                                         {"reason", common::ReasonOf(result.status())}});
  }
  return result;
}

grpc::Status GateService::GetTableJob(grpc::ServerContext* context, const v1::GetTableJobRequest* request,
                                      v1::GetTableJobResponse* response) {
  return guard_.Run(*context, "Gate.GetTableJob", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project, Find(request->permit_id(), "", caller, Role::kRequester));
    const absl::StatusOr<common::JobStatus> job = jobs_.Get(absl::StrCat(request->permit_id(), "/", request->job_id()));
    // The record of a release is there a moment before its entry is signed: while the job runs, it is not done.
    if (!job.ok() || !job->Active()) {
      SLUIS_ASSIGN_OR_RETURN(const auto released, project.releases->Find(request->job_id()));
      if (released.has_value()) {
        response->set_state(v1::GetTableJobResponse::DONE);
        response->set_percent(100);
        response->set_release_id(request->job_id());
        response->set_summary_json(released->summary_json);
        return absl::OkStatus();
      }
    }
    if (!job.ok()) return job.status();
    const common::JobStatus& status = *job;
    response->set_percent(status.percent);
    response->set_step(status.step);
    switch (status.state) {
      case common::JobState::kDone:  // of a dry run: releases were found above
        response->set_state(v1::GetTableJobResponse::DONE);
        response->set_summary_json(status.result);
        break;
      case common::JobState::kFailed:
        response->set_state(v1::GetTableJobResponse::FAILED);
        response->set_message(std::string(status.status.message()));
        response->set_reason(common::ReasonOf(status.status));
        break;
      case common::JobState::kCancelled:
        response->set_state(v1::GetTableJobResponse::CANCELLED);
        break;
      default:
        response->set_state(v1::GetTableJobResponse::RUNNING);
    }
    return absl::OkStatus();
  });
}

grpc::Status GateService::CancelTableJob(grpc::ServerContext* context, const v1::CancelTableJobRequest* request,
                                         v1::CancelTableJobResponse*) {
  return guard_.Run(*context, "Gate.CancelTableJob", [&](const Caller& caller) -> absl::Status {
    SLUIS_RETURN_IF_ERROR(Find(request->permit_id(), "", caller, Role::kRequester).status());
    return jobs_.Cancel(absl::StrCat(request->permit_id(), "/", request->job_id()));
  });
}

grpc::Status GateService::GetRelease(grpc::ServerContext* context, const v1::GetReleaseRequest* request,
                                     grpc::ServerWriter<v1::FileChunk>* writer) {
  return guard_.Run(*context, "Gate.GetRelease", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project, Find(request->permit_id(), "", caller, Role::kRequester));
    SLUIS_ASSIGN_OR_RETURN(const auto record, project.releases->Find(request->release_id()));
    if (!record.has_value()) return absl::NotFoundError("there is no such release");
    // Nothing leaves unless the entry about it stands in a signed checkpoint.
    SLUIS_ASSIGN_OR_RETURN(const common::LoggedEntry logged, parts_.log.Prove(record->entry));
    for (const std::string& name : record->files) {
      SLUIS_ASSIGN_OR_RETURN(const std::string bytes, project.releases->File(request->release_id(), name));
      SLUIS_RETURN_IF_ERROR(SendFile(name, bytes, *writer));
    }
    SLUIS_RETURN_IF_ERROR(SendFile(kEntryFile, logged.entry, *writer));
    return SendFile(kProofFile, logged.proof, *writer);
  });
}

grpc::Status GateService::GetEvidence(grpc::ServerContext* context, const v1::GetEvidenceRequest* request,
                                      grpc::ServerWriter<v1::FileChunk>* writer) {
  return guard_.Run(*context, "Gate.GetEvidence", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project, Find(request->permit_id(), "", caller, Role::kAuditor));
    SLUIS_ASSIGN_OR_RETURN(const std::string bytes,
                           project.releases->File(request->release_id(), ReleaseStore::kEvidenceFile));
    return SendFile(ReleaseStore::kEvidenceFile, bytes, *writer);
  });
}

}  // namespace sluis::disclosure
