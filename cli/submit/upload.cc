#include "cli/submit/upload.h"

#include "absl/strings/str_cat.h"
#include "cli/app/client.h"
#include "cli/prepare/spool.h"
#include "common/entry/entry.h"
#include "common/status/status.h"
#include "common/tlog/note.h"
#include "common/tlog/verifier.h"
#include "linker/store/delivery.h"

namespace sluis::cli {
namespace {

namespace v1 = linker::v1;

constexpr std::chrono::seconds kCallTimeout(60);
constexpr std::chrono::hours kStreamTimeout(12);

std::string BytesOf(const common::Hash256& hash) { return std::string(common::AsChars(hash)); }

// What the delivery is, in the linker's terms; its digest is part of what the receipt confirms.
linker::DeliveryHeader ToLinkerHeader(const SpoolHeader& spool, const common::SigningKey& signing_key) {
  linker::DeliveryHeader header;
  header.delivery_id = spool.delivery_id;
  header.replaces = spool.replaces;
  header.permit_id = spool.permit_id;
  header.permit_sha256 = spool.permit_sha256;
  header.register_name = spool.register_name;
  header.records = spool.record_count;
  header.match_keys = spool.match_keys;
  header.row_bytes = spool.row_bytes;
  header.sealed_data_key = spool.sealed_data_key;
  header.schema_sha256 = spool.schema_sha256;
  header.manifest_sha256 = spool.content_sha256;
  header.encoding_plan_sha256 = spool.encoding_plan_sha256;
  header.encoding_bytes = spool.encoding_bytes;
  header.signature = common::SignDelivery(linker::StatementOf(header), signing_key);
  return header;
}

v1::BeginUploadRequest ToRequest(const linker::DeliveryHeader& header) {
  v1::BeginUploadRequest request;
  v1::DeliveryHeader* out = request.mutable_header();
  out->set_permit_id(header.permit_id);
  out->set_permit_sha256(BytesOf(header.permit_sha256));
  out->set_register_(header.register_name);
  out->set_delivery_id(header.delivery_id);
  out->set_replaces(header.replaces);
  out->set_record_count(header.records);
  for (const std::string& key : header.match_keys) out->add_match_keys(key);
  out->set_row_bytes(header.row_bytes);
  out->set_sealed_data_key(header.sealed_data_key);
  out->set_schema_sha256(BytesOf(header.schema_sha256));
  out->set_manifest_sha256(BytesOf(header.manifest_sha256));
  out->set_signature(header.signature);
  if (header.encoding_bytes > 0) {
    out->set_encoding_plan_sha256(BytesOf(header.encoding_plan_sha256));
    out->set_encoding_bytes(header.encoding_bytes);
  }
  return request;
}

absl::StatusOr<v1::BeginUploadResponse> BeginUpload(v1::Linker::Stub& stub, const v1::BeginUploadRequest& request) {
  v1::BeginUploadResponse begun;
  grpc::ClientContext context;
  SetDeadline(context, kCallTimeout);
  SLUIS_RETURN_IF_ERROR(CallStatus(stub.BeginUpload(&context, request, &begun), "linker"));
  return begun;
}

}  // namespace

absl::Status AbortUpload(v1::Linker::Stub& stub, const std::string& permit_id, const std::string& register_name,
                         const std::string& delivery_id) {
  v1::AbortUploadRequest request;
  request.set_permit_id(permit_id);
  request.set_register_(register_name);
  request.set_delivery_id(delivery_id);
  v1::AbortUploadResponse response;
  grpc::ClientContext context;
  SetDeadline(context, kCallTimeout);
  return CallStatus(stub.AbortUpload(&context, request, &response), "linker");
}

std::string FormatReceipt(const Receipt& receipt) { return absl::StrCat(receipt.entry, "\n\n", receipt.proof); }

absl::StatusOr<Receipt> CheckReceipt(const v1::Receipt& receipt, const common::Permit& permit,
                                     const std::string& expected_type, const std::string& register_name,
                                     const std::string& delivery_id) {
  SLUIS_ASSIGN_OR_RETURN(const common::VerifierKey key, common::ParseVerifierKey(permit.log_keys.at("linker")));
  const absl::Status proof = common::VerifyTlogProof(receipt.proof(), receipt.entry(), key).status();
  if (!proof.ok())
    return absl::DataLossError(absl::StrCat("the linker's receipt does not hold: ", std::string(proof.message())));
  const auto entry = common::ParseEntry(receipt.entry());
  // What is withdrawn may have been delivered under an earlier version of the permit, which its entry then names.
  const bool any_version = expected_type == common::entry_type::kWithdrawal;
  if (!entry.ok() || entry->type != expected_type || entry->Text("project") != permit.id ||
      entry->Text("register") != register_name || entry->Text("delivery") != delivery_id ||
      (!any_version && entry->Text("permit_sha256") != common::HexOf(permit.sha256))) {
    return absl::DataLossError("the linker's receipt is about something else than what was sent");
  }
  return Receipt{receipt.entry(), receipt.proof()};
}

absl::StatusOr<Receipt> UploadDelivery(v1::Linker::Stub& stub, const common::Permit& permit, const DeliveryState& state,
                                       const DeliveryStates& states, const common::SigningKey& signing_key,
                                       const std::function<void(std::uint64_t sent, std::uint64_t total)>& progress) {
  const linker::DeliveryHeader header = ToLinkerHeader(state.header, signing_key);
  const v1::BeginUploadRequest begin = ToRequest(header);
  absl::StatusOr<v1::BeginUploadResponse> begun = BeginUpload(stub, begin);
  // An upload of this id is open that was begun with another header, before the delivery was put right here (such as
  // what it replaces). A complete delivery cannot be aborted, so nothing that counts is lost.
  if (common::ReasonOf(begun.status()) == "DELIVERY_ID_TAKEN" &&
      AbortUpload(stub, header.permit_id, header.register_name, header.delivery_id).ok()) {
    begun = BeginUpload(stub, begin);
  }
  SLUIS_RETURN_IF_ERROR(begun.status());
  const std::size_t chunks = state.header.chunk_sha256.size();
  if (begun->next_chunk() > chunks) {
    return absl::DataLossError(absl::StrCat("the linker says that it holds ", begun->next_chunk(),
                                            " chunks of this delivery, which has ", chunks,
                                            ": it holds something else; abort the delivery and submit it anew"));
  }

  std::vector<common::Hash256> digests;
  std::uint64_t records = 0;
  {
    SLUIS_ASSIGN_OR_RETURN(const auto reader,
                           SpoolReader::Open(states.SpoolPath(header.register_name, header.delivery_id),
                                             states.spool_key(), state.header));
    grpc::ClientContext context;
    SetDeadline(context, kStreamTimeout);
    v1::UploadResponse response;
    std::unique_ptr<grpc::ClientWriter<v1::UploadRequest>> writer;
    SpoolChunk chunk;
    v1::UploadRequest message;
    for (;;) {
      SLUIS_ASSIGN_OR_RETURN(const bool more, reader->Next(chunk));
      if (!more) break;
      const auto number = static_cast<std::uint32_t>(chunk.number);
      digests.push_back(linker::ChunkDigest(
          number,
          {.records = chunk.count, .pseudonyms = chunk.pseudonyms, .rows = chunk.rows, .encodings = chunk.encodings}));
      records += chunk.count;
      progress(records, header.records);
      if (begun->committed() || number < begun->next_chunk()) continue;
      message.Clear();
      if (writer == nullptr) {
        writer = stub.Upload(&context, &response);
        message.set_permit_id(header.permit_id);
        message.set_register_(header.register_name);
        message.set_delivery_id(header.delivery_id);
      }
      message.set_chunk(number);
      message.set_records(chunk.count);
      message.set_pseudonyms(std::move(chunk.pseudonyms));
      message.set_encodings(std::move(chunk.encodings));
      message.set_rows(std::move(chunk.rows));
      message.set_sha256(BytesOf(digests.back()));
      if (!writer->Write(message)) break;  // Finish says why
    }
    if (writer != nullptr) {
      writer->WritesDone();
      SLUIS_RETURN_IF_ERROR(CallStatus(writer->Finish(), "linker"));
      if (response.next_chunk() != chunks) {
        return absl::AbortedError(absl::StrCat("the linker stored ", response.next_chunk(), " of ", chunks,
                                               " chunks: submit again, it continues there"));
      }
    }
  }

  v1::CommitUploadRequest commit;
  commit.set_permit_id(header.permit_id);
  commit.set_register_(header.register_name);
  commit.set_delivery_id(header.delivery_id);
  commit.set_records(header.records);
  commit.set_sha256(BytesOf(linker::DeliveryDigest(linker::HeaderDigest(header), digests)));
  v1::CommitUploadResponse committed;
  grpc::ClientContext context;
  SetDeadline(context, kCallTimeout);
  SLUIS_RETURN_IF_ERROR(CallStatus(stub.CommitUpload(&context, commit, &committed), "linker"));
  SLUIS_ASSIGN_OR_RETURN(Receipt receipt, CheckReceipt(committed.receipt(), permit, common::entry_type::kDelivery,
                                                       header.register_name, header.delivery_id));
  const auto entry = common::ParseEntry(receipt.entry);
  if (entry->Text("delivery_sha256") != common::HexEncode(commit.sha256())) {
    return absl::DataLossError("the linker's receipt confirms other bytes than those that were sent");
  }
  return receipt;
}

}  // namespace sluis::cli
