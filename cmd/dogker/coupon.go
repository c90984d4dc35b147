package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
)

const couponHelp = `Make codes of coupons, and work out what a Coupon holds in place of its code.

A Coupon does not hold its code but a hash of it, so that whoever may read Coupons cannot redeem them. A hash of a short or
likely code can be guessed by trying: let codes be generated, unless everybody is to know them anyway.`

const couponExamples = `  # A code that nobody guesses, and its hash
  dogker coupon generate

  # The hash of a code that everybody is to know
  dogker coupon hash WELCOME-2027
  echo WELCOME-2027 | dogker coupon hash -`

func newCouponCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "coupon",
		Short:   "Make codes of coupons, and hash them",
		Long:    couponHelp,
		Example: couponExamples,
	}
	cmd.AddCommand(newCouponHash(), newCouponGenerate())

	return cmd
}

func newCouponHash() *cobra.Command {
	return &cobra.Command{
		Use:     "hash CODE",
		Short:   "Print what spec.codeSHA256 of a Coupon is for a code; - reads it from standard input",
		Example: "  dogker coupon hash WELCOME-2027",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			code := args[0]
			if code == "-" {
				line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 1<<10)).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return fmt.Errorf("read CODE: %w", err)
				}
				code = strings.TrimRight(line, "\r\n")
			}
			if !couponCode.MatchString(code) {
				return fmt.Errorf("CODE: %q must be 4 to 64 letters, digits and dashes, and must not begin with a dash", code)
			}
			fmt.Fprintln(cmd.OutOrStdout(), billing.HashCode(billingv1.CouponCode(code)))

			return nil
		},
	}
}

// couponCode is what the schema of CouponCode says.
var couponCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{3,63}$`)

// couponAlphabet has no two characters that people take for one another, and 32 of them, so that each is worth five bits.
const couponAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

func newCouponGenerate() *cobra.Command {
	var n int
	cmd := &cobra.Command{
		Use:     "generate",
		Short:   "Make codes that nobody guesses, each with its hash",
		Example: "  dogker coupon generate --count 3",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if n < 1 || n > 1000 {
				return fmt.Errorf("--count: %d must be from 1 to 1000", n)
			}
			for range n {
				code, err := generateCoupon(rand.Reader)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", code, billing.HashCode(billingv1.CouponCode(code)))
			}

			return nil
		},
	}
	cmd.Flags().IntVar(&n, "count", 1, "how many")

	return cmd
}

// generateCoupon makes four groups of four characters: 80 bits.
func generateCoupon(entropy io.Reader) (string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(entropy, raw); err != nil {
		return "", fmt.Errorf("read random numbers: %w", err)
	}
	var out strings.Builder
	for i, b := range raw {
		if i > 0 && i%4 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(couponAlphabet[int(b)%len(couponAlphabet)])
	}

	return out.String(), nil
}
