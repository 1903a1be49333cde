// A real Apache Kafka of the test program's own: started by scripts/kafka on a free port with its
// data in a temporary folder, and gone with the program, however that ends.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace payops::testing {

class KafkaServer {
 public:
  // Starts it. `settings`: broker settings as KEY=VALUE. Throws std::runtime_error in the script's
  // words.
  explicit KafkaServer(const std::vector<std::string>& settings = {});
  ~KafkaServer();
  KafkaServer(const KafkaServer&) = delete;
  KafkaServer& operator=(const KafkaServer&) = delete;

  // The one of this program, started when first asked for. Tests keep apart by topic prefixes.
  static KafkaServer& shared();

  [[nodiscard]] const std::string& bootstrap() const { return bootstrap_; }  // localhost:port
  [[nodiscard]] int port() const;

  void stop();     // cleanly
  void kill();     // as a crash would
  void start();    // again, on the same data and port
  void restart();  // stop and start
  void pause();    // it stops answering, its connections stay
  void resume();

 private:
  void run(const std::string& arguments) const;
  [[nodiscard]] int pid() const;

  std::string folder_;
  std::string bootstrap_;
  int alive_fd_ = -1;    // closed by the end of this process
  int sweeper_pid_ = 0;  // waits for that, then kills the server and removes the folder
};

}  // namespace payops::testing
