package archive_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/content"
)

// dataset makes a directory of 64 MiB: noise, as databases and pictures are, or lines of a log.
func dataset(b *testing.B, kind string) (string, int64) {
	b.Helper()
	dir := filepath.Join(b.TempDir(), content.Root)
	if err := os.Mkdir(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	chacha := rand.NewChaCha8([32]byte{1})
	random := rand.New(chacha)
	const files, size = 64, 1 << 20
	for i := range files {
		data := make([]byte, 0, size+200)
		if kind == "noise" {
			data = data[:size]
			_, _ = chacha.Read(data)
		}
		for len(data) < size {
			data = fmt.Appendf(data, "2026-11-23T06:%02d:%02dZ GET /api/v1/orders/%d 200 %dms\n", random.IntN(60), random.IntN(60), random.IntN(1e6), random.IntN(900))
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d", i)), data[:size], 0o600); err != nil {
			b.Fatal(err)
		}
	}

	return dir, files * size
}

// BenchmarkArchive makes an archive of the tar of a directory, and in turns with it lets `tar | sha256sum` read the same.
// The ratio is how many times as long the archive takes.
func BenchmarkArchive(b *testing.B) {
	for _, kind := range []string{"noise", "log"} {
		b.Run(kind, func(b *testing.B) {
			k, _ := newKey(b)
			dir, size := dataset(b, kind)
			b.SetBytes(size)
			var ours, theirs time.Duration
			var made archive.Receipt
			for b.Loop() {
				began := time.Now()
				made = archiveOf(b, k, dir)
				ours += time.Since(began)

				b.StopTimer()
				began = time.Now()
				if out, err := exec.Command("sh", "-c", "tar --sort=name -C \"$1\" -cf - volume | sha256sum", "sh", filepath.Dir(dir)).CombinedOutput(); err != nil {
					b.Fatalf("tar | sha256sum: %v\n%s", err, out)
				}
				theirs += time.Since(began)
				b.StartTimer()
			}
			b.ReportMetric(float64(ours)/float64(theirs), "ratio")
			b.ReportMetric(float64(made.Size)/float64(size), "size")
		})
	}
}

// archiveOf takes the tar of the same program, as an engine would send it.
func archiveOf(b *testing.B, k *archive.Key, dir string) archive.Receipt {
	b.Helper()
	cmd := exec.Command("tar", "--sort=name", "-C", filepath.Dir(dir), "-cf", "-", "volume")
	r, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	made, err := archive.Write(io.Discard, origin, k, r, content.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}

	return made
}

// BenchmarkVerify reads an archive back.
func BenchmarkVerify(b *testing.B) {
	k, _ := newKey(b)
	file, _ := write(b, k, volume(b, 32<<20))
	b.SetBytes(32 << 20)
	for b.Loop() {
		if _, err := archive.Verify(bytes.NewReader(file), k, content.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
