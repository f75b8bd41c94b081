// Uploads: what custodians call.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/rpc/server.h"
#include "common/status/status.h"
#include "linker/server/linker_service.h"

namespace sluis::linker {
namespace {

using common::Caller;
using common::Hash256;

// A crash of the machine loses at most this many chunks of a running upload; they are sent again.
constexpr std::uint32_t kSyncEvery = 32;

absl::Status ToHash(const std::string& bytes, const char* field, Hash256& out) {
  if (bytes.size() != out.size()) return absl::InvalidArgumentError(absl::StrCat(field, ": 32 bytes are expected"));
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return absl::OkStatus();
}

absl::StatusOr<DeliveryHeader> ToHeader(const v1::DeliveryHeader& in) {
  DeliveryHeader header;
  header.delivery_id = in.delivery_id();
  header.replaces = in.replaces();
  header.permit_id = in.permit_id();
  SLUIS_RETURN_IF_ERROR(ToHash(in.permit_sha256(), "permit_sha256", header.permit_sha256));
  header.register_name = in.register_();
  header.records = in.record_count();
  header.match_keys.assign(in.match_keys().begin(), in.match_keys().end());
  header.row_bytes = in.row_bytes();
  header.sealed_data_key = in.sealed_data_key();
  SLUIS_RETURN_IF_ERROR(ToHash(in.schema_sha256(), "schema_sha256", header.schema_sha256));
  SLUIS_RETURN_IF_ERROR(ToHash(in.manifest_sha256(), "manifest_sha256", header.manifest_sha256));
  header.signature = in.signature();
  if (!in.encoding_plan_sha256().empty()) {
    SLUIS_RETURN_IF_ERROR(ToHash(in.encoding_plan_sha256(), "encoding_plan_sha256", header.encoding_plan_sha256));
  }
  header.encoding_bytes = in.encoding_bytes();
  return header;
}

common::EntryFields DeliveryFields(const DeliveryRecord& delivery) {
  return {{"project", delivery.header.permit_id},
          {"permit_sha256", common::HexOf(delivery.header.permit_sha256)},
          {"register", delivery.header.register_name},
          {"delivery", delivery.header.delivery_id},
          {"delivery_sha256", common::HexOf(delivery.sha256)},
          {"replaces", delivery.header.replaces},
          {"schema_sha256", common::HexOf(delivery.header.schema_sha256)}};
}

}  // namespace

grpc::Status LinkerService::BeginUpload(grpc::ServerContext* context, const v1::BeginUploadRequest* request,
                                        v1::BeginUploadResponse* response) {
  return guard_.Run(*context, "Linker.BeginUpload", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const DeliveryHeader header, ToHeader(request->header()));
    SLUIS_ASSIGN_OR_RETURN(const Project project, FindForCustodian(header.permit_id, header.register_name, caller));
    SLUIS_ASSIGN_OR_RETURN(const UploadStatus status,
                           project.records->BeginUpload(header, project.bundle->permit, common::NowSeconds()));
    response->set_next_chunk(status.chunks);
    response->set_committed(status.state == DeliveryState::kCommitted);
    return absl::OkStatus();
  });
}

grpc::Status LinkerService::Upload(grpc::ServerContext* context, grpc::ServerReader<v1::UploadRequest>* reader,
                                   v1::UploadResponse* response) {
  return guard_.Run(*context, "Linker.Upload",
                    [&](const Caller& caller) -> absl::Status { return ReceiveChunks(caller, *reader, *response); });
}

absl::Status LinkerService::ReceiveChunks(const Caller& caller, grpc::ServerReader<v1::UploadRequest>& reader,
                                          v1::UploadResponse& response) {
  v1::UploadRequest message;
  if (!reader.Read(&message)) return absl::InvalidArgumentError("the stream has no chunk");
  const DeliveryName name{message.register_(), message.delivery_id()};
  SLUIS_ASSIGN_OR_RETURN(const Project project, FindForCustodian(message.permit_id(), name.register_name, caller));
  for (bool more = true; more;) {
    v1::UploadRequest current;
    current.Swap(&message);
    more = reader.Read(&message);
    Hash256 digest;
    SLUIS_RETURN_IF_ERROR(ToHash(current.sha256(), "sha256", digest));
    const Chunk chunk{current.records(), current.pseudonyms(), current.rows(), current.encodings()};
    metrics_.CountReceived("Linker.Upload", chunk.pseudonyms.size() + chunk.rows.size() + chunk.encodings.size());
    const bool sync = !more || current.chunk() % kSyncEvery == kSyncEvery - 1;
    SLUIS_ASSIGN_OR_RETURN(const UploadStatus status,
                           project.records->AppendChunk(name, current.chunk(), digest, chunk, common::NowSeconds(),
                                                        sync ? Durability::kSynced : Durability::kDeferred));
    response.set_next_chunk(status.chunks);
  }
  return absl::OkStatus();
}

absl::Status LinkerService::Confirm(const PreparedDelivery& prepared, const char* entry_type, v1::Receipt& receipt) {
  common::EntryFields fields = DeliveryFields(prepared.delivery);
  common::LoggedEntry logged;
  if (prepared.already_done) {
    SLUIS_ASSIGN_OR_RETURN(const auto entry, log_.Find(entry_type, fields));
    if (!entry.has_value()) return absl::DataLossError("a delivery that was committed has no entry in the log");
    SLUIS_ASSIGN_OR_RETURN(logged, log_.Prove(*entry));
  } else {
    SLUIS_ASSIGN_OR_RETURN(logged, log_.Append(common::FormatEntry(entry_type, common::NowSeconds(), std::move(fields)),
                                               prepared.change.batch));
  }
  receipt.set_entry(logged.entry);
  receipt.set_proof(logged.proof);
  return absl::OkStatus();
}

grpc::Status LinkerService::CommitUpload(grpc::ServerContext* context, const v1::CommitUploadRequest* request,
                                         v1::CommitUploadResponse* response) {
  return guard_.Run(*context, "Linker.CommitUpload", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project, FindForCustodian(request->permit_id(), request->register_(), caller));
    Hash256 digest;
    SLUIS_RETURN_IF_ERROR(ToHash(request->sha256(), "sha256", digest));
    SLUIS_ASSIGN_OR_RETURN(const PreparedDelivery prepared,
                           project.records->PrepareCommit({request->register_(), request->delivery_id()},
                                                          request->records(), digest, common::NowSeconds()));
    return Confirm(prepared, common::entry_type::kDelivery, *response->mutable_receipt());
  });
}

grpc::Status LinkerService::AbortUpload(grpc::ServerContext* context, const v1::AbortUploadRequest* request,
                                        v1::AbortUploadResponse*) {
  return guard_.Run(*context, "Linker.AbortUpload", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project, FindForCustodian(request->permit_id(), request->register_(), caller,
                                                                   common::PermitDays::kRetained));
    return project.records->AbortUpload({request->register_(), request->delivery_id()});
  });
}

grpc::Status LinkerService::Withdraw(grpc::ServerContext* context, const v1::WithdrawRequest* request,
                                     v1::WithdrawResponse* response) {
  return guard_.Run(*context, "Linker.Withdraw", [&](const Caller& caller) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const Project project, FindForCustodian(request->permit_id(), request->register_(), caller,
                                                                   common::PermitDays::kRetained));
    SLUIS_ASSIGN_OR_RETURN(
        const PreparedDelivery prepared,
        project.records->PrepareWithdrawal({request->register_(), request->delivery_id()}, common::NowSeconds()));
    return Confirm(prepared, common::entry_type::kWithdrawal, *response->mutable_receipt());
  });
}

}  // namespace sluis::linker
