#include <filesystem>
#include <iostream>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/app/await_job.h"
#include "cli/app/client.h"
#include "cli/app/command.h"
#include "cli/audit/verify_fetched.h"
#include "cli/show/table_view.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"
#include "disclosure/protect/package.h"
#include "proto/sluis/disclosure/v1/disclosure.grpc.pb.h"

namespace sluis::cli {
namespace {

namespace v1 = disclosure::v1;

constexpr std::chrono::seconds kCallTimeout(60);
constexpr std::chrono::minutes kFetchTimeout(30);

struct Options {
  std::string config, permit, request, out, release_id;
  bool dry_run = false;
};

// A name that the gate sends becomes a path only if it stays in the folder.
bool IsSafeName(const std::string& name) {
  return !name.empty() && name.size() <= 255 && name[0] != '/' && name.find("..") == std::string::npos &&
         name.find('\\') == std::string::npos && name.find('\0') == std::string::npos;
}

absl::StatusOr<std::map<std::string, std::string>> ReadFiles(grpc::ClientReader<v1::FileChunk>& reader) {
  std::map<std::string, std::string> files;
  v1::FileChunk chunk;
  while (reader.Read(&chunk)) {
    if (!IsSafeName(chunk.name())) return absl::DataLossError("the gate sent a file with a name that leads elsewhere");
    files[chunk.name()] += chunk.content();
  }
  SLUIS_RETURN_IF_ERROR(CallStatus(reader.Finish(), "gate"));
  return files;
}

absl::Status WriteFiles(const std::string& directory, const std::map<std::string, std::string>& files) {
  for (const auto& [name, bytes] : files) {
    const std::filesystem::path path = std::filesystem::path(directory) / name;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error)
      return absl::PermissionDeniedError(absl::StrCat("the folder ", path.parent_path().string(), " cannot be made"));
    SLUIS_RETURN_IF_ERROR(common::WriteFileAtomically(path.string(), bytes, 0644));
  }
  return absl::OkStatus();
}

// Waits until the job ends; returns its last status.
absl::StatusOr<v1::GetTableJobResponse> Await(v1::Gate::Stub& stub, const std::string& permit_id,
                                              const std::string& job_id, bool quiet) {
  v1::GetTableJobResponse last;
  const auto poll = [&]() -> absl::StatusOr<JobState> {
    v1::GetTableJobRequest request;
    request.set_permit_id(permit_id);
    request.set_job_id(job_id);
    v1::GetTableJobResponse job;
    grpc::ClientContext context;
    SetDeadline(context, kCallTimeout);
    SLUIS_RETURN_IF_ERROR(CallStatus(stub.GetTableJob(&context, request, &job), "gate"));
    if (job.state() == v1::GetTableJobResponse::FAILED) {
      return JobFailure("gate", job.message(), job.reason());
    }
    last = std::move(job);
    if (last.state() == v1::GetTableJobResponse::DONE) return JobState{JobState::Stage::kDone, 100};
    if (last.state() == v1::GetTableJobResponse::CANCELLED) return JobState{JobState::Stage::kCancelled};
    return JobState{JobState::Stage::kRunning, last.percent()};
  };
  const auto cancel = [&] {
    v1::CancelTableJobRequest request;
    request.set_permit_id(permit_id);
    request.set_job_id(job_id);
    v1::CancelTableJobResponse response;
    grpc::ClientContext context;
    SetDeadline(context, kCallTimeout);
    return CallStatus(stub.CancelTableJob(&context, request, &response), "gate");
  };
  SLUIS_RETURN_IF_ERROR(AwaitJob(
      {.label = "table", .poll = poll, .cancel = cancel, .cancelled = "cancelled; nothing was released"}, quiet));
  return last;
}

// A release has a folder of its own: among other files it could not be verified, and it could replace some of them. An
// earlier fetch of it may be there. Errors: INVALID_ARGUMENT.
absl::Status CheckOut(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (directory.empty() || !fs::exists(directory, error)) return absl::OkStatus();
  if (!fs::is_directory(directory, error)) {
    return absl::InvalidArgumentError(absl::StrCat("--out ", directory, " is not a folder"));
  }
  if (fs::is_empty(directory, error) || fs::exists(fs::path(directory) / disclosure::kManifestFile, error)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--out ", directory, " holds other files: name a new folder for the release"));
}

// The folder may hold a release, but no other one than that of `files`. Errors: FAILED_PRECONDITION.
absl::Status CheckSameRelease(const std::string& directory, const std::map<std::string, std::string>& files) {
  const std::string path = (std::filesystem::path(directory) / disclosure::kManifestFile).string();
  const absl::StatusOr<std::string> held = common::ReadFileBounded(path, 64 << 20);
  if (absl::IsNotFound(held.status())) return absl::OkStatus();
  if (held.ok() && *held == files.at(disclosure::kManifestFile)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("--out ", directory, " holds another release: name a new folder for this one"));
}

absl::Status RunTable(const Options& options, const Globals& globals) {
  if (!options.dry_run && options.out.empty())
    return absl::InvalidArgumentError("--out is needed, unless this is a --dry-run");
  SLUIS_RETURN_IF_ERROR(CheckIsFile("--request", options.request));
  SLUIS_RETURN_IF_ERROR(CheckOut(options.out));
  // What was released is to be had again after the permit's last day; what was not the gate refuses then.
  SLUIS_ASSIGN_OR_RETURN(const Client client, Client::OpenRetained(options.config, options.permit));
  SLUIS_ASSIGN_OR_RETURN(const auto channel, client.Gate());
  const auto stub = v1::Gate::NewStub(channel);
  const common::Permit& permit = client.permit.permit;
  v1::StartTableRequest start;
  start.set_permit_sha256(std::string(common::AsChars(permit.sha256)));
  start.set_dry_run(options.dry_run);
  SLUIS_ASSIGN_OR_RETURN(*start.mutable_request_document(), common::ReadFileBounded(options.request, 1 << 20));
  v1::StartTableResponse started;
  {
    grpc::ClientContext context;
    SetDeadline(context, kCallTimeout);
    SLUIS_RETURN_IF_ERROR(CallStatus(stub->StartTable(&context, start, &started), "gate"));
  }
  SLUIS_ASSIGN_OR_RETURN(const v1::GetTableJobResponse job, Await(*stub, permit.id, started.job_id(), globals.quiet));
  if (globals.json && options.dry_run) {
    std::cout << job.summary_json() << "\n";
    return absl::OkStatus();
  }
  if (options.dry_run) {
    SLUIS_ASSIGN_OR_RETURN(const std::string text, DryRunText(job.summary_json()));
    std::cout << text;
    return absl::OkStatus();
  }
  v1::GetReleaseRequest fetch;
  fetch.set_permit_id(permit.id);
  fetch.set_release_id(job.release_id());
  grpc::ClientContext context;
  SetDeadline(context, kFetchTimeout);
  const auto reader = stub->GetRelease(&context, fetch);
  SLUIS_ASSIGN_OR_RETURN(const auto files, ReadFiles(*reader));
  SLUIS_ASSIGN_OR_RETURN(
      const disclosure::Manifest manifest,
      VerifyFetched(files, permit, {.release_id = job.release_id(), .request = start.request_document()}));
  SLUIS_RETURN_IF_ERROR(CheckSameRelease(options.out, files));
  SLUIS_RETURN_IF_ERROR(WriteFiles(options.out, files));
  if (globals.json) {
    std::cout << job.summary_json() << "\n";
    return absl::OkStatus();
  }
  SLUIS_ASSIGN_OR_RETURN(const std::string tables, TablesText(files, manifest, options.out));
  SLUIS_ASSIGN_OR_RETURN(const std::string summary, ReleaseText(job.summary_json(), files, options.out));
  std::cout << tables << summary;
  return absl::OkStatus();
}

absl::Status FetchEvidence(const Options& options) {
  SLUIS_ASSIGN_OR_RETURN(const Client client, Client::OpenRetained(options.config, options.permit));
  SLUIS_ASSIGN_OR_RETURN(const auto channel, client.Gate());
  const auto stub = v1::Gate::NewStub(channel);
  v1::GetEvidenceRequest fetch;
  fetch.set_permit_id(client.permit.permit.id);
  fetch.set_release_id(options.release_id);
  grpc::ClientContext context;
  SetDeadline(context, kFetchTimeout);
  const auto reader = stub->GetEvidence(&context, fetch);
  SLUIS_ASSIGN_OR_RETURN(const auto files, ReadFiles(*reader));
  if (files.size() != 1) return absl::DataLossError("the gate sent no evidence");
  SLUIS_RETURN_IF_ERROR(common::WriteFileAtomically(options.out, files.begin()->second, 0600));
  std::cout << options.out << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddTableCommands(CLI::App& app, Globals& globals) {
  auto options = std::make_shared<Options>();
  CLI::App* table = app.add_subcommand("table", "Request protected tables from the gate");
  table->footer(
      "The same request again returns the same release. What the gate sends is kept only if its log has the entry "
      "about it:\n"
      "exit code 6 if not.\n"
      "Examples:\n"
      "  sluis table --config office.yaml --permit permits/integration --request work.yaml --dry-run\n"
      "  sluis table --config office.yaml --permit permits/integration --request work.yaml --out release");
  table->add_option("--config", options->config, "Configuration of this party")->required();
  table->add_option("--permit", options->permit, "Folder with the permit")->required();
  table->add_option("--request", options->request, "The table request (YAML)")->required();
  table->add_option("--out", options->out, "Folder for the release");
  table->add_flag("--dry-run", options->dry_run,
                  "Say how many cells, how sparse, what would be refused; release nothing");
  OnRun(table, globals, [options, &globals] { return RunTable(*options, globals); });

  auto fetch = std::make_shared<Options>();
  CLI::App* evidence = app.add_subcommand("evidence", "Fetch the sealed evidence of a release, as an auditor");
  evidence->footer(
      "Example:\n  sluis evidence --config auditor.yaml --permit permits/integration --release-id work-2026 --out "
      "evidence.sealed");
  evidence->add_option("--config", fetch->config, "Configuration of this party")->required();
  evidence->add_option("--permit", fetch->permit, "Folder with the permit")->required();
  evidence->add_option("--release-id", fetch->release_id, "The id of the request")->required();
  evidence->add_option("--out", fetch->out, "File for the sealed evidence")->required();
  OnRun(evidence, globals, [fetch] { return FetchEvidence(*fetch); });
}

}  // namespace sluis::cli
