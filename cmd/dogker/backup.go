package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/dogker/dogker/internal/agekey"
	"github.com/dogker/dogker/internal/backup"
)

const backupHelp = `Write the store and the keys of a server to one file, while the server runs or while it does not.

The file has everything that makes the installation: all objects, with Secrets, ledgers and passwords (hashed), and the keys
that sign tokens and certificates. Whoever can open it is administrator, so it is encrypted (age): for one or several
recipients, whose identities the server need not know, or with a passphrase. --plaintext is for where it is encrypted anyway.

It must run on the machine of the server, as who may read its data directory. What is not in it: the log of audits, archives
of ledgers (--ledger-archive-dir), images and volumes of containers. A server with an external etcd has its store elsewhere.`

const backupExamples = `  # Once: a key that stays away from the server
  age-keygen -o dogker-backup.key

  # To a file
  dogker backup --recipient age1… --output dogker.tar.gz.age

  # Every night, by a timer: the last 14 are kept
  dogker backup --recipients-file recipients.txt --directory /backup --keep 14`

const restoreHelp = `Make a data directory of a backup. The directory must not have anything of a server yet.

Everything in the file is held against its digests before anything is written; a file that was cut or changed is refused, and
the data directory stays as it was. A restore that was interrupted is gone on with by the next one, and no server starts on
the directory before.

Stop the server that made the backup first, and for good: two servers with the same objects and the same swarm would undo
what the other does. When the restored server starts, Swarm is made what the backup declares: what was changed after it is
changed back, and containers that were created after it are removed. Payments that were credited after it are not known any
more; Midtrans notifies of them again on demand.`

const restoreExamples = `  # On a fresh machine
  dogker restore dogker.tar.gz.age --identity dogker-backup.key --data-dir /var/lib/dogker
  dogker server --data-dir /var/lib/dogker`

// sealFlags are how a backup is encrypted.
type sealFlags struct {
	recipients     []string
	recipientsFile string
	passphraseFile string
	plaintext      bool
}

func newBackupCommand(g *globals) *cobra.Command {
	var (
		seal              sealFlags
		output, directory string
		keep              int
	)
	cmd := &cobra.Command{
		Use:     "backup",
		Short:   "Write the store and the keys of a server to one encrypted file",
		Long:    backupHelp,
		Example: backupExamples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (output == "") == (directory == "") {
				return errors.New("one of --output and --directory is needed")
			}
			if keep < 0 || keep > 0 && directory == "" {
				return fmt.Errorf("--keep: %d must not be negative, and needs --directory", keep)
			}

			recipients, err := seal.resolve()
			if err != nil {
				return err
			}
			o := backup.CreateOptions{DataDir: g.dataDir, Recipients: recipients, Dogker: builtFrom().Dogker, Log: warnings(cmd.ErrOrStderr())}

			return runBackup(cmd, o, output, directory, keep)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&output, "output", "", "file to write, which must not exist")
	flags.StringVar(&directory, "directory", "", "directory to write a file to that is named after the cluster and the time")
	flags.IntVar(&keep, "keep", 0, "how many backups of the cluster to keep in --directory; the oldest ones are removed when the new one is whole; 0 keeps all")
	flags.StringArrayVar(&seal.recipients, "recipient", nil, "age `recipient` who can open the file: age1…; may be given several times")
	flags.StringVar(&seal.recipientsFile, "recipients-file", "", "file with age recipients, one in a line")
	flags.StringVar(&seal.passphraseFile, "passphrase-file", "", "file with a passphrase that opens the file")
	flags.BoolVar(&seal.plaintext, "plaintext", false, "do not encrypt the file")

	return cmd
}

func runBackup(cmd *cobra.Command, o backup.CreateOptions, output, directory string, keep int) error {
	name := output

	var (
		m       backup.Manifest
		removed []string
		err     error
	)
	if directory != "" {
		name, m, removed, err = backup.CreateIn(cmd.Context(), o, directory, keep)
	} else {
		m, err = backup.CreateFile(cmd.Context(), o, output)
	}
	if err != nil {
		return err
	}

	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s written: cluster %s, %d files\n", name, m.Cluster, len(m.Files))
	for _, old := range removed {
		fmt.Fprintf(out, "%s removed\n", old)
	}

	return nil
}

// warnings is a logger for commands whose parts log as a server does.
func warnings(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// resolve is who can open the backup. Nobody at all must be said in so many words.
func (s *sealFlags) resolve() ([]age.Recipient, error) {
	text := strings.Join(s.recipients, "\n")

	if s.recipientsFile != "" {
		raw, err := os.ReadFile(s.recipientsFile)
		if err != nil {
			return nil, fmt.Errorf("--recipients-file: %w", err)
		}
		text += "\n" + string(raw)
	}

	ways := 0
	for _, given := range []bool{strings.TrimSpace(text) != "", s.passphraseFile != "", s.plaintext} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return nil, errors.New("the file holds every key of the installation: say who can open it by --recipient or --recipients-file, or by --passphrase-file, or that everybody can by --plaintext")
	}

	switch {
	case s.plaintext:
		return nil, nil
	case s.passphraseFile != "":
		recipient, _, err := passphrase(s.passphraseFile)

		return []age.Recipient{recipient}, err
	default:
		return agekey.Recipients(text)
	}
}

func passphrase(file string) (age.Recipient, age.Identity, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("--passphrase-file: %w", err)
	}
	recipient, identity, err := agekey.Passphrase(string(raw))
	if err != nil {
		return nil, nil, fmt.Errorf("--passphrase-file: %w", err)
	}

	return recipient, identity, nil
}

func newRestoreCommand(g *globals) *cobra.Command {
	var (
		identityFiles  []string
		passphraseFile string
	)
	cmd := &cobra.Command{
		Use:     "restore FILE",
		Short:   "Make a data directory of a backup",
		Long:    restoreHelp,
		Example: restoreExamples,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			identities, err := identities(identityFiles, passphraseFile)
			if err != nil {
				return err
			}

			m, err := backup.Restore(cmd.Context(), backup.RestoreOptions{File: args[0], Identities: identities, DataDir: g.dataDir, Log: warnings(cmd.ErrOrStderr())})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s restored: cluster %s as of %s\n", g.dataDir, m.Cluster, m.Time.Format("2006-01-02 15:04:05 MST"))

			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&identityFiles, "identity", nil, "`file` with age identities that open the backup; may be given several times")
	flags.StringVar(&passphraseFile, "passphrase-file", "", "file with the passphrase that opens the backup")

	return cmd
}

func identities(files []string, passphraseFile string) ([]age.Identity, error) {
	var out []age.Identity

	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--identity: %w", err)
		}
		some, err := agekey.Identities(string(raw))
		if err != nil {
			return nil, fmt.Errorf("--identity: %q: %w", file, err)
		}
		out = append(out, some...)
	}

	if passphraseFile != "" {
		_, identity, err := passphrase(passphraseFile)
		if err != nil {
			return nil, err
		}
		out = append(out, identity)
	}

	return out, nil
}
