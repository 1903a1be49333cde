#include "support/kafka_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/paths.h"

namespace payops::testing {
namespace {

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string first_word(const std::string& file) {
  std::istringstream words(text_of(file));
  std::string word;
  words >> word;
  return word;
}

const std::string kScript = source_path("scripts/kafka");

}  // namespace

KafkaServer::KafkaServer(const std::vector<std::string>& settings) {
  std::string name = (std::filesystem::temp_directory_path() / "payops-kafka-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
  folder_ = name;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  sweeper_pid_ = fork();
  if (sweeper_pid_ == 0) {
    setsid();
    dup2(ends[0], STDIN_FILENO);
    const std::string sweep = "read -r _; '" + kScript + "' stop --now --data '" + folder_ +
                              "' 2>/dev/null; rm -rf '" + folder_ + "'";
    execl("/bin/sh", "sh", "-c", sweep.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[0]);
  alive_fd_ = ends[1];
  std::string arguments = "start";
  for (const std::string& setting : settings) arguments += " --set '" + setting + "'";
  run(arguments + " --port-file '" + folder_ + "/bootstrap'");
  bootstrap_ = first_word(folder_ + "/bootstrap");
}

KafkaServer::~KafkaServer() {
  close(alive_fd_);
  waitpid(sweeper_pid_, nullptr, 0);
}

KafkaServer& KafkaServer::shared() {
  static KafkaServer server;
  return server;
}

int KafkaServer::port() const { return std::stoi(bootstrap_.substr(bootstrap_.find(':') + 1)); }

void KafkaServer::run(const std::string& arguments) const {
  const std::string said = folder_ + "/said";
  const std::string command = "'" + kScript + "' " + arguments + " --data '" + folder_ + "' >'" +
                              said + "' 2>&1 </dev/null";
  if (std::system(command.c_str()) != 0) {
    throw std::runtime_error("scripts/kafka " + arguments + ": " + text_of(said));
  }
}

int KafkaServer::pid() const { return std::stoi(first_word(folder_ + "/pid")); }

void KafkaServer::stop() { run("stop"); }
void KafkaServer::kill() { run("stop --now"); }
void KafkaServer::start() { run("start --port " + std::to_string(port())); }
void KafkaServer::restart() {
  stop();
  start();
}
void KafkaServer::pause() { ::kill(pid(), SIGSTOP); }
void KafkaServer::resume() { ::kill(pid(), SIGCONT); }

}  // namespace payops::testing
