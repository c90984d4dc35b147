package compose

import (
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/sirupsen/logrus"
)

// logs guards logrus' global logger, by which compose-go says what it thinks of a file, and which it cannot be told to
// leave alone.
var logs sync.Mutex

// listen runs load, keeps what compose-go would print meanwhile from the terminal, and returns it: sorted, because it
// walks over maps, and each sentence once.
func listen(load func() error) ([]string, error) {
	logs.Lock()
	defer logs.Unlock()

	logger, ears := logrus.StandardLogger(), &recorder{}
	out, hooks := logger.Out, logger.ReplaceHooks(logrus.LevelHooks{logrus.WarnLevel: {ears}})
	logger.SetOutput(io.Discard)
	defer func() {
		logger.SetOutput(out)
		logger.ReplaceHooks(hooks)
	}()

	err := load()
	slices.Sort(ears.heard)

	return slices.Compact(ears.heard), err
}

type recorder struct {
	mu    sync.Mutex
	heard []string
}

// Levels implements logrus.Hook.
func (*recorder) Levels() []logrus.Level { return []logrus.Level{logrus.WarnLevel} }

// Fire implements logrus.Hook.
func (r *recorder) Fire(entry *logrus.Entry) error {
	// It says so once for each file and process, with the file's place on this machine; nothing follows from it.
	if strings.Contains(entry.Message, "attribute `version` is obsolete") {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, entry.Message)

	return nil
}
