// quelea test --jobs N: several files at a time, each in a process of its own.
//
// Processes, not threads: tests may change what a process has once (its working directory, its
// environment), and one that brings its process down takes no other file with it. A child runs one
// file exactly as the command would alone, with its output into memory; the parent shows it in the
// order of the files, so that a run prints the same whatever the number of jobs is.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <unordered_map>

#include "tools/quelea/test.h"

namespace cli {
namespace {

// What a child leaves behind, in memory that it shares with its parent.
struct FileResult {
  Totals totals;
  bool is_interrupted = false;
  bool is_done = false;
};

struct Job {
  pid_t pid = 0;
  int out = -1, err = -1;  // what it printed
  bool is_over = false;
  std::string out_text, err_text;
};

std::atomic<int> interrupts{0};
void on_interrupt(int) { interrupts.fetch_add(1); }

std::string take_text(int fd) {
  std::string text;
  char buffer[65536];
  lseek(fd, 0, SEEK_SET);
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR);)
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
  close(fd);
  return text;
}

class Jobs {
 public:
  Jobs(const Options& options, const TestOptions& test_options, const Words& files, TestFile test)
      : options_(options), test_options_(test_options), files_(files), test_(test) {}
  ~Jobs() {
    if (results_ != nullptr) munmap(results_, files_.size() * sizeof(FileResult));
  }

  bool run(Totals& totals);

 private:
  bool start(size_t index);
  [[noreturn]] void run_child(size_t index);
  void wait_for_one();
  void finish(size_t index, int status, Totals& totals);

  const Options& options_;
  const TestOptions& test_options_;
  const Words& files_;
  TestFile test_;
  FileResult* results_ = nullptr;
  std::vector<Job> jobs_;
  std::unordered_map<pid_t, size_t> running_;
  std::vector<int> statuses_;
  bool is_interrupted_ = false;
};

void Jobs::run_child(size_t index) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // A parent that is killed leaves nothing running.
  setpgid(0, 0);                     // Ctrl-C reaches the parent alone, which passes it on once.
  signal(SIGINT, SIG_DFL);
  dup2(jobs_[index].out, 1);
  dup2(jobs_[index].err, 2);
  FileResult& result = results_[index];
  result.is_interrupted = !test_(options_, test_options_, files_[index], result.totals);
  fflush(stdout);
  result.is_done = true;
  _exit(0);
}

bool Jobs::start(size_t index) {
  Job& job = jobs_[index];
  job.out = memfd_create("out", MFD_CLOEXEC);
  job.err = memfd_create("err", MFD_CLOEXEC);
  if (job.out >= 0 && job.err >= 0) job.pid = fork();
  if (job.pid == 0 && job.err >= 0) run_child(index);
  if (job.pid > 0) {
    running_[job.pid] = index;
    return true;
  }
  job.err_text = std::string("quelea: cannot start a job: ") + strerror(errno) + "\n";
  if (job.out >= 0) close(job.out);
  if (job.err >= 0) close(job.err);
  job.is_over = true;
  return false;
}

// Waits for a child to end, and passes an interrupt on to all.
void Jobs::wait_for_one() {
  int status = 0;
  pid_t pid = waitpid(-1, &status, 0);
  if (interrupts.exchange(0) > 0) {
    // A second Ctrl-C ends those that did not listen to the first.
    for (const auto& [child, index] : running_) kill(child, is_interrupted_ ? SIGKILL : SIGINT);
    is_interrupted_ = true;
  }
  auto found = pid > 0 ? running_.find(pid) : running_.end();
  if (found == running_.end()) return;
  size_t index = found->second;
  running_.erase(found);
  statuses_[index] = status;
  Job& job = jobs_[index];
  job.out_text = take_text(job.out);
  job.err_text = take_text(job.err);
  job.is_over = true;
}

// Shows what a file's tests printed and counts them.
void Jobs::finish(size_t index, int status, Totals& totals) {
  Job& job = jobs_[index];
  fwrite(job.err_text.data(), 1, job.err_text.size(), stderr);
  fwrite(job.out_text.data(), 1, job.out_text.size(), stdout);
  fflush(stdout);
  const FileResult& result = results_[index];
  totals.passed += result.totals.passed;
  totals.failed += result.totals.failed;
  totals.broken_files += result.totals.broken_files;
  if (result.is_interrupted) is_interrupted_ = true;
  if (!result.is_done && !is_interrupted_) {
    totals.broken_files++;
    if (WIFSIGNALED(status))
      fprintf(stderr, "quelea: %s: its process ended by signal %d (%s)\n", files_[index].c_str(),
              WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
      fprintf(stderr, "quelea: %s: its process ended before its tests did\n",
              files_[index].c_str());
  }
  job = {};
}

bool Jobs::run(Totals& totals) {
  void* shared = mmap(nullptr, files_.size() * sizeof(FileResult), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    fprintf(stderr, "quelea: test: %s\n", strerror(errno));
    totals.broken_files++;
    return true;
  }
  results_ = new (shared) FileResult[files_.size()];
  jobs_.resize(files_.size());
  statuses_.resize(files_.size());
  struct sigaction action = {};
  action.sa_handler = on_interrupt;  // Without SA_RESTART: waiting returns.
  sigaction(SIGINT, &action, nullptr);
  size_t next = 0, shown = 0;
  while (shown < next || (next < files_.size() && !is_interrupted_)) {
    if (next < files_.size() && running_.size() < test_options_.jobs && !is_interrupted_)
      start(next++);
    else if (!jobs_[shown].is_over)
      wait_for_one();
    for (; shown < next && jobs_[shown].is_over; shown++) finish(shown, statuses_[shown], totals);
  }
  return !is_interrupted_;
}

}  // namespace

bool test_in_jobs(const Options& options, const TestOptions& test_options, const Words& files,
                  TestFile test, Totals& totals) {
  return Jobs(options, test_options, files, test).run(totals);
}

}  // namespace cli
