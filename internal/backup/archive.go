package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
)

// writer writes a backup.
type writer struct {
	tar   *tar.Writer
	below []io.Closer
	time  time.Time
	files []File
}

// newWriter begins a backup on w; nobody can read it but the recipients. Without any, everybody can.
func newWriter(w io.Writer, recipients []age.Recipient, at time.Time) (*writer, error) {
	out := &writer{time: at}

	if len(recipients) > 0 {
		sealed, err := age.Encrypt(w, recipients...)
		if err != nil {
			return nil, fmt.Errorf("encrypt backup: %w", err)
		}

		w = sealed
		out.below = append(out.below, sealed)
	}

	zipped := gzip.NewWriter(w)
	out.below = append(out.below, zipped)
	out.tar = tar.NewWriter(zipped)

	return out, nil
}

// add appends one file, and notes what it was.
func (w *writer) add(name string, size int64, content io.Reader) error {
	sum := sha256.New()
	if err := w.write(name, size, io.TeeReader(content, sum)); err != nil {
		return err
	}

	w.files = append(w.files, File{Name: name, Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil))})

	return nil
}

func (w *writer) write(name string, size int64, content io.Reader) error {
	header := &tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: w.time, Format: tar.FormatPAX, Typeflag: tar.TypeReg}
	if err := w.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("write %q to backup: %w", name, err)
	}

	n, err := io.Copy(w.tar, content)
	if err == nil && n != size {
		err = fmt.Errorf("it had %d bytes and has %d", size, n)
	}
	if err != nil {
		return fmt.Errorf("write %q to backup: %w", name, err)
	}

	return nil
}

// close ends the backup with its manifest.
func (w *writer) close(m Manifest) (Manifest, error) {
	m.Format, m.Time, m.Files = Format, w.time, w.files

	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, fmt.Errorf("encode manifest of backup: %w", err)
	}
	if err := w.write(manifestName, int64(len(raw)), bytes.NewReader(raw)); err != nil {
		return m, err
	}

	errs := []error{w.tar.Close()}
	for i := len(w.below) - 1; i >= 0; i-- {
		errs = append(errs, w.below[i].Close())
	}
	if err := errors.Join(errs...); err != nil {
		return m, fmt.Errorf("end backup: %w", err)
	}

	return m, nil
}

// unpack writes all files of a backup into an empty directory and returns its manifest, once it has read everything to the
// end and all of it is what it should be. What it has written is worth nothing when it fails.
func unpack(r io.Reader, dir string) (Manifest, error) {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return Manifest{}, fmt.Errorf("it is no backup of dogker: %w", err)
	}

	var (
		manifest *Manifest
		files    []File
		archive  = tar.NewReader(zipped)
	)

	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Manifest{}, fmt.Errorf("it is cut off or was changed: %w", err)
		}
		if err := known(header.Name); err != nil {
			return Manifest{}, err
		}
		if header.Typeflag != tar.TypeReg || manifest != nil || header.Name != snapshotName && header.Size > maxKeyFile {
			return Manifest{}, fmt.Errorf("%q is not as dogker writes it", header.Name)
		}
		if header.Name == manifestName {
			manifest = new(Manifest)
			if err := json.NewDecoder(archive).Decode(manifest); err != nil {
				return Manifest{}, fmt.Errorf("its manifest cannot be read: %w", err)
			}

			continue
		}

		file, err := extract(archive, header, dir)
		if err != nil {
			return Manifest{}, err
		}

		files = append(files, file)
	}

	// What follows the archive belongs to the stream that is checked as a whole.
	if _, err := io.Copy(io.Discard, zipped); err != nil {
		return Manifest{}, fmt.Errorf("it is cut off or was changed: %w", err)
	}
	if manifest == nil {
		return Manifest{}, errors.New("it is cut off: it has no manifest")
	}

	return *manifest, manifest.check(files)
}

func extract(archive io.Reader, header *tar.Header, dir string) (File, error) {
	path := filepath.Join(dir, filepath.FromSlash(header.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return File{}, fmt.Errorf("create directory of %q: %w", header.Name, err)
	}

	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return File{}, fmt.Errorf("create %q: %w", header.Name, err)
	}

	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), archive)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return File{}, fmt.Errorf("read %q: it is cut off, was changed, or the disk is full: %w", header.Name, err)
	}

	return File{Name: header.Name, Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}
