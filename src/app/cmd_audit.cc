// payops audit: verify, show and export the audit log.
#include <cstdio>
#include <deque>
#include <memory>

#include "cli.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/memory/audit_reader.h"
#include "payops/memory/audit_verify.h"

namespace payops::app {
namespace {

struct AuditOptions {
  std::string directory;
  std::string checkpoint_file;
  std::string kind;
  std::string format = "csv";
  uint64_t last = 50;
  bool json = false;
};

int verify(const AuditOptions& options) {
  memory::VerifyOptions against;
  if (!options.checkpoint_file.empty()) {
    const auto text = read_file(options.checkpoint_file);
    if (!text) return report(text.error());
    const auto checkpoint = memory::parse_checkpoint(*text);
    if (!checkpoint) {
      return report(
          {ErrorCode::usage, false, options.checkpoint_file + ": " + checkpoint.error().message});
    }
    against.checkpoint = *checkpoint;
  }
  const auto verified = memory::audit_verify(options.directory, against);
  if (!verified) return report_local(verified.error());
  if (options.json) {
    std::printf("%s\n", dump(to_json(*verified)).c_str());
  } else if (verified->ok) {
    std::printf(
        "intact: %llu lines in %llu files, %llu steps with their inputs, up to seq %llu at %s%s\n",
        static_cast<unsigned long long>(verified->lines),
        static_cast<unsigned long long>(verified->files),
        static_cast<unsigned long long>(verified->steps),
        static_cast<unsigned long long>(verified->last_seq), iso_time(verified->last_ts_ms).c_str(),
        verified->signature_checked ? ", checkpoint signed" : ", checkpoints unsigned");
  } else {
    const std::string line =
        verified->bad_line > 0 ? " line " + std::to_string(verified->bad_line) : "";
    std::printf("NOT intact: %s%s: %s\n", verified->bad_file.c_str(), line.c_str(),
                verified->reason.c_str());
  }
  return verified->ok ? kExitDone : kExitNo;
}

int show(const AuditOptions& options) {
  auto reader = memory::AuditReader::open(options.directory);
  if (!reader) return report_local(reader.error());
  std::deque<std::string> kept;
  memory::LogLine line;
  for (;;) {
    const auto more = reader->next(line);
    if (!more) return report_local(more.error());
    if (!*more) break;
    const auto parsed = parse_line(line.text);
    if (!parsed) {
      return report(
          {ErrorCode::corrupt, false,
           line.file + ":" + std::to_string(line.number) + ": " + parsed.error().message});
    }
    if (!options.kind.empty() && parsed->kind != options.kind) continue;
    kept.push_back(std::to_string(parsed->seq) + " " + iso_time(parsed->ts_ms) + " " +
                   std::string(parsed->kind) + " {" + std::string(parsed->body) + "}");
    if (options.last > 0 && kept.size() > options.last) kept.pop_front();
  }
  for (const std::string& text : kept) std::printf("%s\n", text.c_str());
  return kExitDone;
}

int export_csv(const AuditOptions& options) {
  const Status status = memory::audit_export_csv(options.directory, [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
  });
  return status ? kExitDone : report_local(status.error());
}

}  // namespace

void add_audit_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<AuditOptions>();
  CLI::App* sub = app.add_subcommand("audit", "Verify, show or export the audit log");
  sub->require_subcommand(1);
  sub->footer("Example: payops audit verify audit_logs");
  CLI::App* verify_app = sub->add_subcommand("verify", "Is it what was written? Exit 1 if not");
  verify_app->add_option("DIR", options->directory, "Audit folder")->required();
  verify_app->add_option("--checkpoint", options->checkpoint_file,
                         "A checkpoint kept elsewhere that the log must reach: a message of "
                         "payops.decisions, or a checkpoints.json");
  verify_app->add_flag("--json", options->json, "One JSON document on stdout");
  verify_app->footer("Example: payops audit verify audit_logs");
  verify_app->callback([&command, options] { command = [options] { return verify(*options); }; });
  CLI::App* show_app = sub->add_subcommand("show", "Its records, one a line");
  show_app->add_option("DIR", options->directory, "Audit folder")->required();
  show_app->add_option("--kind", options->kind, "Only records of this kind, e.g. decision");
  show_app->add_option("--last", options->last, "Only the last N; 0 = all")->capture_default_str();
  show_app->footer("Example: payops audit show audit_logs --kind decision --last 3");
  show_app->callback([&command, options] { command = [options] { return show(*options); }; });
  CLI::App* export_app =
      sub->add_subcommand("export", "The whole log for a spreadsheet, on stdout");
  export_app->add_option("DIR", options->directory, "Audit folder")->required();
  export_app->add_option("--format", options->format, "Format")
      ->capture_default_str()
      ->check(CLI::IsMember({"csv"}));
  export_app->footer("Example: payops audit export audit_logs --format csv > audit.csv");
  export_app->callback(
      [&command, options] { command = [options] { return export_csv(*options); }; });
}

}  // namespace payops::app
