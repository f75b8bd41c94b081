#include "common/rpc/config.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;
using ::sluis::common::testing::TemporaryDirectory;

std::string Key(char byte) { return Base64Encode(std::string(32, byte)); }

std::string ServiceYaml() {
  return "listen: 127.0.0.1:0\n"
         "tls: {certificate: tls/a.crt, private_key: tls/a.key, authorities: /etc/ca.crt}\n"
         "permits:\n"
         "  directories: [../permit, /srv/permit]\n"
         "  required_approvals: 2\n"
         "  approvers:\n"
         "    - {name: anna, public_key: " +
         Key('a') + "}\n    - {name: bram, public_key: " + Key('b') +
         "}\n"
         "data_directory: data\n"
         "keystore: keystore\n"
         "unlock: {key_file: unlock.key}\n"
         "log_origin: example.org/keys-log\n"
         "log_directory: log\n"
         "ready_file: run/ready\n";
}

std::string ClientYaml() {
  return "tls: {certificate: a.crt, private_key: a.key, authorities: ca.crt}\n"
         "permits: {required_approvals: 1, approvers: [{name: anna, public_key: " +
         Key('a') +
         "}]}\n"
         "state_directory: state\n"
         "signing_key: keys/signing.key\n"
         "unlock: {passphrase_file: passphrase}\n";
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class ConfigTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& yaml) const {
    const std::string path = directory_ / "config.yaml";
    std::ofstream(path) << yaml;
    return path;
  }
  absl::StatusOr<v1::Service> Service(const std::string& yaml) const { return LoadServiceConfig(Write(yaml)); }
  absl::StatusOr<v1::Client> Client(const std::string& yaml) const { return LoadClientConfig(Write(yaml)); }
  TemporaryDirectory directory_;
};

TEST_F(ConfigTest, RelativePathsAreRelativeToTheFile) {
  const auto config = Service(ServiceYaml());
  SLUIS_ASSERT_OK(config);
  const std::string& base = directory_.path();
  EXPECT_EQ(config->tls().certificate(), base + "/tls/a.crt");
  EXPECT_EQ(config->tls().private_key(), base + "/tls/a.key");
  EXPECT_EQ(config->tls().authorities(), "/etc/ca.crt");
  EXPECT_EQ(config->permits().directories(0), std::filesystem::path(base).parent_path().string() + "/permit");
  EXPECT_EQ(config->permits().directories(1), "/srv/permit");
  EXPECT_EQ(config->data_directory(), base + "/data");
  EXPECT_EQ(config->keystore(), base + "/keystore");
  EXPECT_EQ(config->unlock().key_file(), base + "/unlock.key");
  EXPECT_EQ(config->unlock().passphrase_file(), "");
  EXPECT_EQ(config->log_directory(), base + "/log");
  EXPECT_EQ(config->ready_file(), base + "/run/ready");
  const TlsFiles files = ToTlsFiles(config->tls());
  EXPECT_EQ(files.certificate, base + "/tls/a.crt");
  EXPECT_EQ(files.private_key, base + "/tls/a.key");
  EXPECT_EQ(files.authorities, "/etc/ca.crt");

  const auto client = Client(ClientYaml());
  SLUIS_ASSERT_OK(client);
  EXPECT_EQ(client->state_directory(), base + "/state");
  EXPECT_EQ(client->signing_key(), base + "/keys/signing.key");
  EXPECT_EQ(client->unlock().passphrase_file(), base + "/passphrase");
}

TEST_F(ConfigTest, AFileThatIsNotThereIsNotFound) {
  EXPECT_THAT(LoadServiceConfig(directory_ / "none.yaml"), StatusIs(absl::StatusCode::kNotFound, "none.yaml"));
  EXPECT_THAT(LoadClientConfig(directory_ / "none.yaml"), StatusIs(absl::StatusCode::kNotFound, "none.yaml"));
}

TEST_F(ConfigTest, UnknownFieldsAreNamedAtEveryDepth) {
  for (const auto& [yaml, field] :
       {std::pair{ServiceYaml() + "lsten: x\n", "lsten"},
        std::pair{Replaced(ServiceYaml(), "private_key:", "privat_key:"), "privat_key"},
        std::pair{Replaced(ServiceYaml(), "required_approvals", "required_approval"), "required_approval"}}) {
    const auto config = Service(yaml);
    EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, field));
    EXPECT_EQ(ReasonOf(config.status()), "CONFIG_INVALID");
  }
  EXPECT_THAT(Client(ClientYaml() + "listen: x\n"), StatusIs(absl::StatusCode::kInvalidArgument, "listen"));
}

TEST_F(ConfigTest, MissingAndWrongFieldsAreNamed) {
  const struct {
    const char *from, *to, *message;
  } breaks[] = {
      {"listen: 127.0.0.1:0\n", "", "field listen"},
      {"certificate: tls/a.crt, ", "", "tls.certificate"},
      {"private_key: tls/a.key, ", "", "tls.private_key"},
      {", authorities: /etc/ca.crt", "", "tls.authorities"},
      {"required_approvals: 2", "required_approvals: 0", "permits.required_approvals"},
      {"required_approvals: 2", "required_approvals: 3", "permits.approvers"},
      {"required_approvals: 2", "required_approvals: 4294967295", "permits.approvers"},
      {"required_approvals: 2", "required_approvals: two", "required_approvals"},
      {"data_directory: data\n", "", "data_directory"},
      {"keystore: keystore\n", "", "keystore"},
      {"unlock: {key_file: unlock.key}\n", "", "unlock"},
      {"{key_file: unlock.key}", "{key_file: a, passphrase_file: b}", "unlock"},
      {"log_origin: example.org/keys-log\n", "", "log_origin"},
      {"log_directory: log\n", "", "log_directory"},
  };
  for (const auto& broken : breaks) {
    const auto config = Service(Replaced(ServiceYaml(), broken.from, broken.to));
    EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, broken.message));
    EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, "config.yaml"));
    EXPECT_EQ(ReasonOf(config.status()), "CONFIG_INVALID") << broken.message;
  }
  EXPECT_THAT(Client(Replaced(ClientYaml(), "certificate: a.crt, ", "")),
              StatusIs(absl::StatusCode::kInvalidArgument, "tls.certificate"));
  EXPECT_THAT(Client(Replaced(ClientYaml(), "required_approvals: 1", "required_approvals: 2")),
              StatusIs(absl::StatusCode::kInvalidArgument, "permits.approvers"));
}

TEST_F(ConfigTest, TheKeystoreMayNotLieAmongTheData) {
  for (const char* keystore : {"data/keystore", "data/deeper/keystore", "elsewhere/../data/keystore", "data"}) {
    for (const char* slash : {"", "/", "//"}) {
      const std::string yaml =
          Replaced(Replaced(ServiceYaml(), "data_directory: data", std::string("data_directory: data") + slash),
                   "keystore: keystore", std::string("keystore: ") + keystore);
      EXPECT_THAT(Service(yaml), StatusIs(absl::StatusCode::kInvalidArgument, "keystore")) << keystore << slash;
    }
  }
  EXPECT_THAT(Service(Replaced(ServiceYaml(), "data_directory: data", "data_directory: .")),
              StatusIs(absl::StatusCode::kInvalidArgument, "keystore"));
  SLUIS_EXPECT_OK(Service(Replaced(ServiceYaml(), "keystore: keystore", "keystore: data-keys/keystore")));
}

TEST_F(ConfigTest, TheKeystoreMayNotReachTheDataThroughALink) {
  std::filesystem::create_directory(directory_ / "data");
  std::filesystem::create_directory_symlink(directory_ / "data", directory_ / "linked");
  EXPECT_THAT(Service(Replaced(ServiceYaml(), "keystore: keystore", "keystore: linked/keystore")),
              StatusIs(absl::StatusCode::kInvalidArgument, "keystore"));
}

TEST_F(ConfigTest, NothingSecretMayLieAmongThePublishedFilesOfTheLog) {
  const struct {
    const char *from, *to, *field;
  } breaks[] = {{"keystore: keystore", "keystore: log/keystore", "field keystore"},
                {"key_file: unlock.key", "key_file: log/unlock.key", "unlock.key_file"},
                {"key_file: unlock.key", "passphrase_file: log/passphrase", "unlock.passphrase_file"},
                {"private_key: tls/a.key", "private_key: log/a.key", "tls.private_key"}};
  for (const auto& broken : breaks) {
    const auto config = Service(Replaced(ServiceYaml(), broken.from, broken.to));
    EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, broken.field));
    EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, "published"));
  }
}

TEST(ToApprovers, ReadsNamesAndKeys) {
  v1::PermitPolicy policy;
  v1::Approver& anna = *policy.add_approvers();
  anna.set_name("anna");
  anna.set_public_key(Key('a'));
  const auto approvers = ToApprovers(policy);
  SLUIS_ASSERT_OK(approvers);
  ASSERT_EQ(approvers->size(), 1u);
  EXPECT_EQ((*approvers)[0].name, "anna");
  EXPECT_EQ(AsChars((*approvers)[0].public_key), std::string(32, 'a'));
}

TEST(ToApprovers, RefusesKeysThatAreNot32BytesInBase64) {
  for (const std::string& key : {std::string(), std::string("!"), Base64Encode(std::string(31, 'a')),
                                 Base64Encode(std::string(33, 'a')), HexEncode(std::string(32, 'a'))}) {
    v1::PermitPolicy policy;
    v1::Approver& bram = *policy.add_approvers();
    bram.set_name("bram");
    bram.set_public_key(key);
    const auto approvers = ToApprovers(policy);
    EXPECT_THAT(approvers, StatusIs(absl::StatusCode::kInvalidArgument, "permits.approvers (bram)"));
    EXPECT_EQ(ReasonOf(approvers.status()), "CONFIG_INVALID");
  }
}

}  // namespace
}  // namespace sluis::common
