// Linkage and what the gate fetches of it.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/rpc/server.h"
#include "common/rpc/telemetry.h"
#include "common/status/status.h"
#include "linker/server/linker_service.h"
#include "linker/store/link_project.h"

namespace sluis::linker {
namespace {

using common::Caller;
using common::Role;

absl::StatusOr<LinkSetId> ToLinkSetId(const std::string& hex) {
  LinkSetId id;
  const auto bytes = common::HexDecode(hex);
  if (!bytes.ok() || bytes->size() != id.size()) {
    return absl::InvalidArgumentError("link_set_id: 64 hexadecimal digits are expected");
  }
  std::copy(bytes->begin(), bytes->end(), id.begin());
  return id;
}

// Returns the newest link set that was made under this version of the permit of deliveries that all still stand; if
// there is none, the newest, of which GetLinkSet says why it will not do. The newest as such would not be right: a
// withdrawn delivery makes an earlier link set the one that linking returns.
absl::StatusOr<StoredLinkSet> NewestLinkSet(const ProjectReader& reader, const common::Permit& permit) {
  SLUIS_ASSIGN_OR_RETURN(std::vector<StoredLinkSet> link_sets, reader.LinkSets());
  std::erase_if(link_sets, [](const StoredLinkSet& link_set) { return link_set.deleted(); });
  if (link_sets.empty()) {
    return common::WithReason(
        absl::FailedPreconditionError("nothing was linked under this permit yet; run `sluis link` first"),
        "NOT_LINKED");
  }
  for (auto newest = link_sets.rbegin(); newest != link_sets.rend(); ++newest) {
    bool stands = newest->header.permit_sha256 == permit.sha256;
    for (const LinkedRegister& linked : newest->header.registers) {
      SLUIS_ASSIGN_OR_RETURN(const auto delivery, reader.Delivery({linked.name, linked.delivery_id}));
      stands = stands && delivery.has_value() && delivery->state == DeliveryState::kCommitted;
    }
    if (stands) return *std::move(newest);
  }
  return std::move(link_sets.back());
}

// Rows were sealed for the permit under which they were linked, and mean something else under another version of it.
absl::Status CheckPermit(const LinkSetHeader& header, const common::Permit& permit) {
  if (header.permit_sha256 == permit.sha256) return absl::OkStatus();
  return common::WithReason(
      absl::FailedPreconditionError(
          "the link set was made under another version of the permit; its registers are delivered and linked anew"),
      "PERMIT_CHANGED");
}

// `report`: rounded, so that its shares are whole percents.
void FillSimilarity(const SimilarityReport& report, v1::SimilarityReport& out) {
  const auto set = [](const EstimatedShare& share, v1::EstimatedPercent& percent) {
    constexpr std::uint32_t kMillionthsPerPercent = 10'000;
    percent.set_value(share.value / kMillionthsPerPercent);
    percent.set_low(share.low / kMillionthsPerPercent);
    percent.set_high(share.high / kMillionthsPerPercent);
  };
  out.set_linked_entities(report.links);
  out.set_linked_records(report.linked_records);
  switch (report.outcome) {
    case SimilarityOutcome::kCredible:
      out.set_outcome(v1::SimilarityReport::CREDIBLE);
      set(report.precision, *out.mutable_precision());
      set(report.recall, *out.mutable_recall());
      break;
    case SimilarityOutcome::kNotCredible:
      out.set_outcome(v1::SimilarityReport::NOT_CREDIBLE);
      break;
    case SimilarityOutcome::kNothingLeft:
      out.set_outcome(v1::SimilarityReport::NOTHING_LEFT);
      break;
  }
}

bool IsRequestId(std::string_view id) {
  return !id.empty() && id.size() <= 63 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

LinkerService::LinkerService(const common::PermitSet& permits, const ProjectStores& projects, common::Store& store,
                             common::ServiceLog& log, common::Metrics& metrics, const LinkerServiceOptions& options)
    : projects_(projects),
      store_(store),
      log_(log),
      metrics_(metrics),
      options_(options),
      guard_(permits, AccessTable(), metrics) {}

common::Guard::Table LinkerService::AccessTable() {
  return {{"Linker.BeginUpload", Role::kCustodian},  {"Linker.Upload", Role::kCustodian},
          {"Linker.CommitUpload", Role::kCustodian}, {"Linker.AbortUpload", Role::kCustodian},
          {"Linker.Withdraw", Role::kCustodian},     {"Linker.StartLink", Role::kRequester},
          {"Linker.GetLinkJob", Role::kRequester},   {"Linker.CancelLinkJob", Role::kRequester},
          {"Linker.GetLinkSet", Role::kGate},        {"Linker.FetchRows", Role::kGate}};
}

absl::StatusOr<LinkerService::Project> LinkerService::Find(const std::string& permit_id,
                                                           const std::string& permit_sha256, const Caller& caller,
                                                           Role role, common::PermitDays days) const {
  SLUIS_ASSIGN_OR_RETURN(const common::PermitBundle* bundle,
                         guard_.FindPermit(caller, role, permit_id, permit_sha256, common::Today(), days));
  const auto project = projects_.find(permit_id);
  if (project == projects_.end()) {
    // Retention had ended when the service started; the clock was set back since.
    return common::WithReason(absl::FailedPreconditionError("the retention of this project has ended here"),
                              "RETENTION_ENDED");
  }
  return Project{bundle, project->second.get()};
}

absl::StatusOr<LinkerService::Project> LinkerService::FindForCustodian(const std::string& permit_id,
                                                                       const std::string& register_name,
                                                                       const Caller& caller,
                                                                       common::PermitDays days) const {
  SLUIS_ASSIGN_OR_RETURN(const Project project, Find(permit_id, "", caller, Role::kCustodian, days));
  const common::PermitRegister* reg = project.bundle->permit.FindRegister(register_name);
  if (reg == nullptr || reg->custodian != caller.identity) {
    return common::WithReason(absl::PermissionDeniedError("the permit names no such register of this custodian"),
                              "ACCESS_DENIED");
  }
  return project;
}

grpc::Status LinkerService::StartLink(grpc::ServerContext* context, const v1::StartLinkRequest* request,
                                      v1::StartLinkResponse* response) {
  return guard_.Run(*context, "Linker.StartLink", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project,
                           Find(request->permit_id(), request->permit_sha256(), caller, Role::kRequester));
    if (!IsRequestId(request->request_id())) {
      return absl::InvalidArgumentError("request_id: 1 to 63 lower-case letters, digits and hyphens are expected");
    }
    const std::string key = absl::StrCat(request->permit_id(), "/", request->request_id());
    response->set_job_id(request->request_id());
    SLUIS_ASSIGN_OR_RETURN(const auto done, store_.Get(kRequestFamily, key));
    if (done.has_value()) return absl::OkStatus();
    SLUIS_RETURN_IF_ERROR(CheckLinkable(project.records->reader(), project.bundle->permit));
    return jobs_.Start(key, [this, project, key](common::JobControl& control) { return Link(project, key, control); },
                       {.owner = caller.identity});
  });
}

absl::StatusOr<std::string> LinkerService::Link(const Project& project, const std::string& request_key,
                                                common::JobControl& control) {
  const common::Permit& permit = project.bundle->permit;
  // A job of this id that was cancelled too late may have linked meanwhile.
  SLUIS_ASSIGN_OR_RETURN(const auto linked, store_.Get(kRequestFamily, request_key));
  if (linked.has_value()) return *linked;
  LinkOptions options;
  options.memory_bytes = options_.link_memory_bytes;
  options.threads = options_.threads;
  options.progress = [&control](std::uint64_t scanned, std::uint64_t total) { control.SetProgress(scanned, total); };
  options.cancelled = [&control, &permit] {
    return control.cancelled() || common::RetentionEnded(permit, common::Today());
  };
  SLUIS_ASSIGN_OR_RETURN(PreparedLinkSet prepared,
                         LinkProject(*project.records, permit, common::SecretBytes::Random(32), options,
                                     common::NowSeconds(), {.memory_bytes = options_.similarity_memory_bytes}));
  if (prepared.damaged_comparison_parts > 0) {
    common::LogError("comparison_damaged",
                     {{"project", permit.id}, {"parts", absl::StrCat(prepared.damaged_comparison_parts)}});
  }
  const std::string id = common::HexOf(prepared.id);
  std::string deliveries;
  for (const LinkedRegister& r : prepared.header.registers) {
    absl::StrAppend(&deliveries, deliveries.empty() ? "" : " ", r.name, ":", r.delivery_id);
  }
  common::WriteBatch batch = prepared.change.batch;
  batch.Put(kRequestFamily, request_key, id);
  if (prepared.already_done) {
    SLUIS_RETURN_IF_ERROR(store_.Write(batch, /*sync=*/true));
    return id;
  }
  const std::string entry = common::FormatEntry(common::entry_type::kLinkSet, common::NowSeconds(),
                                                {{"project", permit.id},
                                                 {"permit_sha256", common::HexOf(permit.sha256)},
                                                 {"link_set", id},
                                                 {"deliveries", deliveries}});
  SLUIS_RETURN_IF_ERROR(log_.Append(entry, batch).status());
  return id;
}

absl::Status LinkerService::FillReport(const Project& project, const std::string& link_set_id,
                                       v1::GetLinkJobResponse& response) const {
  const common::Permit& permit = project.bundle->permit;
  SLUIS_ASSIGN_OR_RETURN(const LinkSetId id, ToLinkSetId(link_set_id));
  SLUIS_ASSIGN_OR_RETURN(const LinkSetHeader header, project.records->reader().LinkSet(id));
  response.set_state(v1::GetLinkJobResponse::DONE);
  response.set_percent(100);
  response.set_link_set_id(link_set_id);
  for (const LinkageReport& exact : header.reports) {
    v1::RegisterReport* out = response.add_reports();
    out->set_register_(exact.register_name);
    const auto rounded = RoundedReport(exact, permit.report_rounding, permit.report_minimum_records);
    out->set_withheld(!rounded.has_value());
    if (!rounded.has_value()) continue;
    out->set_records(rounded->records);
    out->set_entities(rounded->entities);
    out->set_unlinked_entities(rounded->unlinked);
    out->set_unlinked_records(rounded->unlinked_records);
    for (const PassReport& pass : rounded->passes) {
      v1::PassReport* p = out->add_passes();
      p->set_match_key(pass.match_key);
      p->set_linked_entities(pass.links);
      p->set_conflicts(pass.conflicts);
      p->set_ambiguous(pass.ambiguous);
      p->set_unavailable(pass.unavailable);
    }
    if (rounded->similarity) FillSimilarity(*rounded->similarity, *out->mutable_similarity());
  }
  return absl::OkStatus();
}

grpc::Status LinkerService::GetLinkJob(grpc::ServerContext* context, const v1::GetLinkJobRequest* request,
                                       v1::GetLinkJobResponse* response) {
  return guard_.Run(*context, "Linker.GetLinkJob", [&](const Caller& caller) -> absl::Status {
    // What was started on the permit's last day can be followed to its end.
    SLUIS_ASSIGN_OR_RETURN(const Project project,
                           Find(request->permit_id(), "", caller, Role::kRequester, common::PermitDays::kRetained));
    const std::string key = absl::StrCat(request->permit_id(), "/", request->job_id());
    SLUIS_ASSIGN_OR_RETURN(const auto done, store_.Get(kRequestFamily, key));
    if (done.has_value()) {
      // Waits for the entry, which is signed a moment after the link set is there.
      SLUIS_RETURN_IF_ERROR(
          log_.Find(common::entry_type::kLinkSet, {{"project", request->permit_id()}, {"link_set", *done}}).status());
      return FillReport(project, *done, *response);
    }
    SLUIS_ASSIGN_OR_RETURN(const common::JobStatus status, jobs_.Get(key));
    response->set_percent(status.percent);
    switch (status.state) {
      case common::JobState::kFailed:
        response->set_state(v1::GetLinkJobResponse::FAILED);
        response->set_message(std::string(status.status.message()));
        response->set_reason(common::ReasonOf(status.status));
        break;
      case common::JobState::kCancelled:
        response->set_state(v1::GetLinkJobResponse::CANCELLED);
        break;
      default:
        response->set_state(v1::GetLinkJobResponse::RUNNING);
    }
    return absl::OkStatus();
  });
}

grpc::Status LinkerService::CancelLinkJob(grpc::ServerContext* context, const v1::CancelLinkJobRequest* request,
                                          v1::CancelLinkJobResponse*) {
  return guard_.Run(*context, "Linker.CancelLinkJob", [&](const Caller& caller) -> absl::Status {
    SLUIS_RETURN_IF_ERROR(
        Find(request->permit_id(), "", caller, Role::kRequester, common::PermitDays::kRetained).status());
    return jobs_.Cancel(absl::StrCat(request->permit_id(), "/", request->job_id()), caller.identity);
  });
}

grpc::Status LinkerService::GetLinkSet(grpc::ServerContext* context, const v1::GetLinkSetRequest* request,
                                       v1::GetLinkSetResponse* response) {
  return guard_.Run(*context, "Linker.GetLinkSet", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project,
                           Find(request->permit_id(), request->permit_sha256(), caller, Role::kGate));
    const ProjectReader& reader = project.records->reader();
    LinkSetId id;
    if (request->link_set_id().empty()) {
      SLUIS_ASSIGN_OR_RETURN(const StoredLinkSet newest, NewestLinkSet(reader, project.bundle->permit));
      id = newest.id;
    } else {
      SLUIS_ASSIGN_OR_RETURN(id, ToLinkSetId(request->link_set_id()));
    }
    SLUIS_ASSIGN_OR_RETURN(const LinkSetHeader header, reader.LinkSet(id));
    SLUIS_RETURN_IF_ERROR(CheckPermit(header, project.bundle->permit));
    response->set_link_set_id(common::HexOf(id));
    for (const LinkedRegister& linked : header.registers) {
      SLUIS_ASSIGN_OR_RETURN(const auto delivery, reader.Delivery({linked.name, linked.delivery_id}));
      if (!delivery.has_value() || delivery->state != DeliveryState::kCommitted) {
        return common::WithReason(
            absl::FailedPreconditionError(absl::StrCat("the delivery of register ", linked.name,
                                                       " that was linked has been replaced or withdrawn; link again")),
            "LINK_SET_STALE");
      }
      if (delivery->header.signature.empty()) {
        return common::WithReason(
            absl::FailedPreconditionError(absl::StrCat("the delivery of register ", linked.name,
                                                       " was made before deliveries were signed; its custodian "
                                                       "delivers again, with --replaces, then link again")),
            "DELIVERY_UNSIGNED");
      }
      v1::GetLinkSetResponse::Source* source = response->add_sources();
      source->set_register_(linked.name);
      source->set_delivery_id(linked.delivery_id);
      source->set_record_count(linked.records);
      source->set_row_bytes(delivery->header.row_bytes);
      source->set_sealed_data_key(delivery->header.sealed_data_key);
      source->set_replaces(delivery->header.replaces);
      source->set_signature(delivery->header.signature);
      if (delivery->header.encoding_bytes != 0) {
        source->set_encoding_plan_sha256(std::string(common::AsChars(delivery->header.encoding_plan_sha256)));
        source->set_encoding_bytes(delivery->header.encoding_bytes);
      }
    }
    return absl::OkStatus();
  });
}

grpc::Status LinkerService::FetchRows(grpc::ServerContext* context, const v1::FetchRowsRequest* request,
                                      grpc::ServerWriter<v1::FetchRowsResponse>* writer) {
  return guard_.Run(*context, "Linker.FetchRows", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project, Find(request->permit_id(), "", caller, Role::kGate));
    SLUIS_ASSIGN_OR_RETURN(const LinkSetId id, ToLinkSetId(request->link_set_id()));
    const std::unique_ptr<ProjectSnapshot> snapshot = project.records->Snapshot();
    const ProjectReader& reader = snapshot->reader();
    SLUIS_ASSIGN_OR_RETURN(const LinkSetHeader header, reader.LinkSet(id));
    SLUIS_RETURN_IF_ERROR(CheckPermit(header, project.bundle->permit));
    const LinkedRegister* linked = header.FindRegister(request->register_());
    if (linked == nullptr) return absl::NotFoundError("the link set does not hold that register");
    SLUIS_ASSIGN_OR_RETURN(const auto delivery, reader.Delivery({linked->name, linked->delivery_id}));
    if (!delivery.has_value()) return absl::NotFoundError("the delivery that was linked is gone");
    return reader.ScanLinks(id, linked->name, [&](std::uint32_t chunk, const LinkChunk& links) -> absl::Status {
      v1::FetchRowsResponse message;
      SLUIS_ASSIGN_OR_RETURN(*message.mutable_rows(), reader.Rows(*delivery, chunk));
      for (const LinkageId& linkage_id : links.ids)
        message.mutable_linkage_ids()->append(linkage_id.begin(), linkage_id.end());
      for (const bool found : links.found) message.mutable_found()->push_back(found ? 1 : 0);
      return writer->Write(message) ? absl::OkStatus() : absl::CancelledError("the gate went away");
    });
  });
}

}  // namespace sluis::linker
