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
using common::PermitDays;
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

GateService::GateService(const GateParts& parts)
    : parts_(parts), guard_(parts.permits, AccessTable(), parts.metrics), questions_(parts.questions_a_day) {}

absl::Status GateService::LoadQuestions() { return questions_.Load(parts_.log.writer(), common::Today()); }

common::Guard::Table GateService::AccessTable() {
  return {{"Gate.StartTable", Role::kRequester},
          {"Gate.GetTableJob", Role::kRequester},
          {"Gate.CancelTableJob", Role::kRequester},
          {"Gate.GetRelease", Role::kRequester},
          {"Gate.GetEvidence", Role::kAuditor}};
}

absl::StatusOr<GateService::Project> GateService::Find(const Caller& caller, Role role, const std::string& permit_id,
                                                       const std::string& permit_sha256, PermitDays days) const {
  SLUIS_ASSIGN_OR_RETURN(const common::PermitBundle* bundle,
                         guard_.FindPermit(caller, role, permit_id, permit_sha256, common::Today(), days));
  const auto releases = parts_.releases.find(permit_id);
  if (releases == parts_.releases.end()) {  // what had ended at the start has ended, whatever the clock says now
    return common::WithReason(absl::FailedPreconditionError("nothing is kept under this permit any more"),
                              "RETENTION_ENDED");
  }
  return Project{bundle, releases->second.get()};
}

absl::StatusOr<bool> GateService::IsReleased(const Work& work) const {
  SLUIS_ASSIGN_OR_RETURN(const auto released, work.project.releases->Find(work.request.id));
  if (!released.has_value()) return false;
  if (released->request_sha256 == common::HexOf(common::Sha256(work.document))) return true;
  return common::WithReason(
      absl::FailedPreconditionError("another request with this id was released; give the new one an id of its own"),
      "REQUEST_ID_TAKEN");
}

absl::Status GateService::Plan(Work& work) const {
  const common::PermitBundle& bundle = *work.project.bundle;
  SLUIS_ASSIGN_OR_RETURN(work.plan, PlanTables(work.request, bundle.permit, bundle.attachments));
  SLUIS_ASSIGN_OR_RETURN(NamedRuleSet rules, ParseRuleSet(bundle.attachments.at(bundle.permit.rule_set)));
  work.rules = std::move(rules.rules);
  SLUIS_RETURN_IF_ERROR(CheckMethods(work.plan, work.rules));
  work.registers = RegistersOf(work.plan);
  return absl::OkStatus();
}

absl::Status GateService::LogDryRun(const Work& work) {
  SLUIS_RETURN_IF_ERROR(questions_.Take(work.requester, common::Today()));
  const std::string entry = common::FormatEntry(common::entry_type::kDryRun, common::NowSeconds(),
                                                {{"project", work.project.bundle->permit.id},
                                                 {"permit_sha256", common::HexOf(work.project.bundle->permit.sha256)},
                                                 {"request_sha256", common::HexOf(common::Sha256(work.document))},
                                                 {"requester", work.requester}});
  return parts_.log.Append(entry, common::WriteBatch()).status();
}

absl::Status GateService::Refuse(const Work& work, const absl::Status& refusal) {
  const std::string reason = common::ReasonOf(refusal);
  const common::EntryFields fields = {{"project", work.project.bundle->permit.id},
                                      {"permit_sha256", common::HexOf(work.project.bundle->permit.sha256)},
                                      {"request_sha256", common::HexOf(common::Sha256(work.document))},
                                      {"requester", work.requester},
                                      {"reason", reason.empty() ? absl::StatusCodeToString(refusal.code()) : reason}};
  const std::lock_guard lock(refuse_mutex_);
  SLUIS_ASSIGN_OR_RETURN(const auto earlier, parts_.log.Find(common::entry_type::kRefusal, fields));
  if (earlier.has_value()) return refusal;
  SLUIS_RETURN_IF_ERROR(questions_.Take(work.requester, common::Today()));
  SLUIS_RETURN_IF_ERROR(
      parts_.log
          .Append(common::FormatEntry(common::entry_type::kRefusal, common::NowSeconds(), fields), common::WriteBatch())
          .status());
  return refusal;
}

grpc::Status GateService::StartTable(grpc::ServerContext* context, const v1::StartTableRequest* request,
                                     v1::StartTableResponse* response) {
  return guard_.Run(*context, "Gate.StartTable", [&](const Caller& caller) -> absl::Status {
    if (request->request_document().size() > kMaxRequestBytes) {
      return absl::InvalidArgumentError("request_document: at most 1 MiB is expected");
    }
    const auto work = std::make_shared<Work>();
    work->document = request->request_document();
    work->dry_run = request->dry_run();
    work->requester = caller.identity;
    SLUIS_ASSIGN_OR_RETURN(work->request, ParseTableRequest(work->document));
    // What was released stays to be had after the permit's last day.
    SLUIS_ASSIGN_OR_RETURN(work->project, Find(caller, Role::kRequester, work->request.permit_id,
                                               request->permit_sha256(), PermitDays::kRetained));
    const absl::StatusOr<bool> released = work->dry_run ? false : IsReleased(*work);
    response->set_job_id(work->dry_run
                             ? absl::StrCat(kDryRunPrefix, common::HexOf(common::Sha256(work->document)).substr(0, 32))
                             : work->request.id);
    if (released.ok() && *released) return absl::OkStatus();
    SLUIS_RETURN_IF_ERROR(common::CheckPermitDates(work->project.bundle->permit, common::Today()));
    SLUIS_RETURN_IF_ERROR(questions_.CheckLeft(work->requester, common::Today()));
    if (!released.ok()) return Refuse(*work, released.status());
    if (const absl::Status planned = Plan(*work); !planned.ok()) {
      return work->dry_run ? planned : Refuse(*work, planned);
    }
    if (!work->dry_run && work->request.id.starts_with(kDryRunPrefix)) {
      return absl::InvalidArgumentError("id: must not begin with dry-run-");
    }
    return StartJob(work, response->job_id());
  });
}

absl::Status GateService::StartJob(const std::shared_ptr<const Work>& work, const std::string& job_id) {
  const std::string key = absl::StrCat(work->project.bundle->permit.id, "/", job_id);
  const std::string request_sha256 = common::HexOf(common::Sha256(work->document));
  const std::lock_guard lock(start_mutex_);
  const absl::StatusOr<common::JobStatus> running = jobs_.Get(key);
  if (running.ok() && running->Active() && running->tag != request_sha256) {
    return common::WithReason(absl::FailedPreconditionError(
                                  "another request with this id is being worked on; give the new one an id of its own"),
                              "REQUEST_ID_TAKEN");
  }
  // The data may have changed since a dry run: its findings are never those of an earlier one.
  return jobs_.Start(key, [this, work](common::JobControl& control) { return Run(*work, control); },
                     {.owner = work->requester, .tag = request_sha256, .again_when_done = work->dry_run});
}

absl::StatusOr<std::string> GateService::Run(const Work& work, common::JobControl& control) {
  SLUIS_RETURN_IF_ERROR(questions_.CheckLeft(work.requester, common::Today()));
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
  if (result.ok()) return result;
  // What was refused is on record; what was cancelled or could not be reached is not a refusal.
  const std::string cause = common::ReasonOf(result.status());
  if (!work.dry_run && !absl::IsCancelled(result.status()) && !absl::IsUnavailable(result.status()) &&
      cause != "DISK_FULL" && cause != "STORE_FAULT") {
    result = Refuse(work, result.status());
  }
  common::LogWarning("table_refused", {{"project", work.project.bundle->permit.id},
                                       {"code", absl::StatusCodeToString(result.status().code())},
                                       {"reason", common::ReasonOf(result.status())}});
  return result;
}

grpc::Status GateService::GetTableJob(grpc::ServerContext* context, const v1::GetTableJobRequest* request,
                                      v1::GetTableJobResponse* response) {
  return guard_.Run(*context, "Gate.GetTableJob", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project,
                           Find(caller, Role::kRequester, request->permit_id(), "", PermitDays::kRetained));
    SLUIS_ASSIGN_OR_RETURN(const auto released, project.releases->Find(request->job_id()));
    if (released.has_value()) {
      SLUIS_RETURN_IF_ERROR(parts_.log.Prove(released->entry).status());
      response->set_state(v1::GetTableJobResponse::DONE);
      response->set_percent(100);
      response->set_release_id(request->job_id());
      response->set_summary_json(released->summary_json);
      return absl::OkStatus();
    }
    SLUIS_ASSIGN_OR_RETURN(const common::JobStatus status,
                           jobs_.Get(absl::StrCat(request->permit_id(), "/", request->job_id())));
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
    SLUIS_RETURN_IF_ERROR(Find(caller, Role::kRequester, request->permit_id(), "", PermitDays::kRetained).status());
    return jobs_.Cancel(absl::StrCat(request->permit_id(), "/", request->job_id()), caller.identity);
  });
}

grpc::Status GateService::GetRelease(grpc::ServerContext* context, const v1::GetReleaseRequest* request,
                                     grpc::ServerWriter<v1::FileChunk>* writer) {
  return guard_.Run(*context, "Gate.GetRelease", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project,
                           Find(caller, Role::kRequester, request->permit_id(), "", PermitDays::kRetained));
    SLUIS_ASSIGN_OR_RETURN(const auto record, project.releases->Find(request->release_id()));
    if (!record.has_value()) return absl::NotFoundError("there is no such release");
    // Nothing leaves unless the entry about it stands in a signed checkpoint: the record is there a moment before, and
    // Prove waits.
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
    SLUIS_ASSIGN_OR_RETURN(const Project project,
                           Find(caller, Role::kAuditor, request->permit_id(), "", PermitDays::kRetained));
    SLUIS_ASSIGN_OR_RETURN(const auto record, project.releases->Find(request->release_id()));
    if (!record.has_value()) return absl::NotFoundError("there is no such release");
    SLUIS_RETURN_IF_ERROR(parts_.log.Prove(record->entry).status());
    SLUIS_ASSIGN_OR_RETURN(const std::string bytes,
                           project.releases->File(request->release_id(), ReleaseStore::kEvidenceFile));
    return SendFile(ReleaseStore::kEvidenceFile, bytes, *writer);
  });
}

}  // namespace sluis::disclosure
