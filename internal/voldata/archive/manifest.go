package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dogker/dogker/internal/voldata/content"
)

// Format is the version of the format that this version writes. It reads no later one.
const Format = 1

// Names in an archive, beside that of the volume.
const (
	headerName   = "archive.json"
	manifestName = "manifest.json"
	macName      = "manifest.json.hmac"
	// maxFile is how large each of them may be.
	maxFile = 64 << 10
)

// ErrRefused means that a file is no archive, was cut off or changed, or was made by somebody else. It is for good: reading
// it again gives the same.
var ErrRefused = errors.New("the archive is refused")

// Origin says what an archive was made of.
type Origin struct {
	Namespace string `json:"namespace"`
	Volume    string `json:"volume"`
	// UID of the Volume, which no other one ever had.
	UID string `json:"uid"`
	// Time is when reading began.
	Time time.Time `json:"time"`
	// Dogker is the version that made it.
	Dogker string `json:"dogker,omitempty"`
}

// header is the first file.
type header struct {
	Format int `json:"format"`
	Origin
}

// manifest is the last file but its authentication.
type manifest struct {
	// Header is the SHA-256 of archive.json.
	Header  string          `json:"header"`
	Content content.Summary `json:"content"`
}

// Receipt says what an archive is. It is worth keeping: by Sum, somebody who has no key can tell whether it is whole.
type Receipt struct {
	Origin  Origin          `json:"origin"`
	Content content.Summary `json:"content"`
	// Sum is the SHA-256 of the file, in hexadecimal, and Size its length in bytes.
	Sum  string `json:"sum"`
	Size int64  `json:"size"`
}

// SameAs tells whether both are of the same file.
func (r Receipt) SameAs(other Receipt) bool {
	return r.Sum == other.Sum && r.Size == other.Size && r.Content == other.Content &&
		r.Origin.UID == other.Origin.UID && r.Origin.Namespace == other.Origin.Namespace &&
		r.Origin.Volume == other.Origin.Volume && r.Origin.Time.Equal(other.Origin.Time)
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

func readHeader(raw []byte) (header, error) {
	var h header
	if err := json.Unmarshal(raw, &h); err != nil {
		return h, refused("its %s cannot be read", headerName)
	}
	if h.Format < 1 || h.Format > Format {
		return h, refused("it has format %d, and this version of dogker reads format %d: use the version that made it", h.Format, Format)
	}

	return h, nil
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)

	return hex.EncodeToString(sum[:])
}
