package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxSamples is how many samples a report may have. No engine runs so many containers.
const MaxSamples = 10_000

// Samples of a report. A sample takes a hundred times the room of the shortest text that can be read as one, so that they are
// counted while they are read, and not after.
type Samples []Sample

// UnmarshalJSON implements json.Unmarshaler.
func (s *Samples) UnmarshalJSON(data []byte) error {
	*s = nil
	list := json.NewDecoder(bytes.NewReader(data))
	switch begin, err := list.Token(); {
	case err != nil:
		return err
	case begin == nil:
		return nil // null
	case begin != json.Delim('['):
		return errors.New("samples: it is no list")
	}

	var read Samples
	for list.More() {
		if len(read) == MaxSamples {
			return fmt.Errorf("samples: there are more than %d", MaxSamples)
		}
		var one Sample
		if err := list.Decode(&one); err != nil {
			return err
		}
		read = append(read, one)
	}
	*s = read

	return nil
}
