// The program under test as a process of its own: started, killed, waited for, its output in files.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace payops::testing {

// How fast a loop makes load; never a wait for something to happen.
void pace(int milliseconds);

class Process {
 public:
  // Runs `argv[0]`, output into files below `folder` named after `name`. Throws when it cannot.
  Process(std::string name, const std::string& folder, std::vector<std::string> argv,
          const std::map<std::string, std::string>& environment = {});
  ~Process();  // kills what still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] bool running();
  // True when it ended within that time.
  bool wait(int seconds);
  // True when it is still running that much later.
  [[nodiscard]] bool lives_for(int milliseconds);
  void signal(int number);
  [[nodiscard]] int exit_status() const { return exit_status_; }  // 128 + signal when killed
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;

 private:
  std::string out_path_, err_path_;
  int pid_ = -1;
  int exit_status_ = -1;
};

// A folder of its own below the system's temporary one, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace payops::testing
