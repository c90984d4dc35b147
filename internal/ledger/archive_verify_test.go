package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/book"
)

// threeArchives are those of a tenant, by their number, and the checkpoints that the ledger has of them.
func threeArchives(t *testing.T) (files [3][]byte, kept [3]book.Checkpoint) {
	t.Helper()
	client := openStore(t)
	now := start
	l := New(client, func() time.Time { return now })
	term, err := l.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	tenant, dir := newTenant(), t.TempDir()
	must(t, l, term, tenant, paid("o1", 2000))
	for i := range kept {
		months(t, l, term, tenant, &now, int64(3*i), 3)
		c, ok, err := l.Archive(t.Context(), term, tenant, now.Add(time.Hour), dir)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if files[i], err = os.ReadFile(filepath.Join(dir, c.File)); err != nil {
			t.Fatal(err)
		}
		kept[i] = c
	}

	return files, kept
}

// forgedStart is a first archive that begins with use which no entry tells of, and is sound otherwise.
func forgedStart(t *testing.T, file []byte) []byte {
	t.Helper()
	lines := bytes.Split(bytes.TrimSuffix(file, []byte("\n")), []byte("\n"))
	var h archiveHeader
	var z archiveEnd
	if err := errors.Join(json.Unmarshal(lines[0][2:], &h), json.Unmarshal(lines[len(lines)-1][2:], &z)); err != nil {
		t.Fatal(err)
	}
	h.Head.Used += rupiah(1)
	replay := book.NewReplay(h.Head)
	for _, line := range lines {
		if line[0] == 'E' {
			if _, err := replay.Next(line[2:]); err != nil {
				t.Fatal(err)
			}
		}
	}
	z.Head = replay.Head()
	lines[0], lines[len(lines)-1] = []byte("A "+encode(h)), []byte("Z "+encode(z))

	return append(bytes.Join(lines, []byte("\n")), '\n')
}

// TestVerifyArchives holds archives against each other.
func TestVerifyArchives(t *testing.T) {
	files, kept := threeArchives(t)
	others, _ := threeArchives(t)
	// One that is sound by itself, and is not what was written: entries do not have the hash of the file before theirs.
	forged := bytes.Replace(files[0], []byte(`"head":`), []byte(`"previous":"5d0c","head":`), 1)
	at := map[string][]byte{
		"1": files[0], "2": files[1], "3": files[2], "copy": files[1], "other1": others[0], "other2": others[1], "forged": forged,
		"short": files[1][:len(files[1])-9], "bit": bytes.Replace(files[1], []byte("web"), []byte("wob"), 1), "text": []byte("hello\n"),
		"start": forgedStart(t, files[0]), kept[1].File: files[1], "newer": []byte(`A {"format":"dogker-ledger-archive/9"}` + "\n"),
	}

	for name, c := range map[string]struct {
		reason, files string
		// want is what becomes of each, in the order in which they come back.
		want string
	}{
		"Whole":        {"All that there are.", "1 2 3", "1 2 3"},
		"AnyOrder":     {"A shell sorts by name.", "3 1 2", "1 2 3"},
		"Copy":         {"It is on two disks.", "1 2 copy 3", "1 2 copy 3"},
		"TwoTenants":   {"Each has a chain of its own.", "other1 1 2 other2", "1 2 other1 other2"},
		"TheFirstOnly": {"Nothing is missing before it.", "1", "1"},
		"LaterOnes":    {"What is before them is not there.", "2 3", "2:gap 3"},
		"OneMissing":   {"It may have been taken away.", "1 3", "1 3:gap"},
		"Short":        {"A disk was full.", "1 short 3", "short:broken 1 3:gap"},
		"OneBit":       {"Entries have hashes.", "1 bit", "bit:broken 1"},
		"Forged":       {"The next one has the hash of what was written.", "forged 2 3", "forged:broken 2:broken 3"},
		"Overlapping":  {"Two of one stretch are not both true.", "1 forged 2", "1 forged:broken 2"},
		"ByName":       {"The ledger has the record of a file of that name.", kept[1].File, kept[1].File + ":gap"},
		"ForgedStart":  {"A ledger begins with nothing.", "start", "start:broken"},
		"NoArchive":    {"Anything can be named.", "text 1", "text:broken 1"},
		"Newer":        {"It is not known whether it holds.", "newer 1", "newer:unread 1"},
		"NotThere":     {"It is not known whether it holds.", "4 1", "4:unread 1"},
	} {
		t.Run(name, func(t *testing.T) {
			reports := VerifyArchives(strings.Fields(c.files), func(file string) (io.ReadCloser, error) {
				data, ok := at[file]
				if !ok {
					return nil, fmt.Errorf("open %s: %w", file, fs.ErrNotExist)
				}
				return io.NopCloser(bytes.NewReader(data)), nil
			})
			var got []string
			for _, r := range reports {
				word := r.File
				switch {
				case errors.Is(r.Err, book.ErrBroken):
					word += ":broken"
				case r.Err != nil:
					word += ":unread"
				case r.Gap:
					word += ":gap"
				}
				got = append(got, word)
				if (r.Record == kept[1].Digest()) != (r.File == kept[1].File) {
					t.Errorf("the record of %q is %s", r.File, r.Record)
				}
				if r.File == "2" && r.Err == nil {
					want := kept[1]
					want.File = ""
					if diff := cmp.Diff(want, r.Checkpoint); diff != "" || r.First != kept[0].Head.Seq+1 {
						t.Errorf("the second begins with entry %d, and (-want +got):\n%s", r.First, diff)
					}
				}
			}
			want := c.want
			if name == "TwoTenants" && reports[0].File == "other1" { // Tenants of tests have random names.
				want = "other1 other2 1 2"
			}
			if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
