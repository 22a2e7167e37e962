package hub

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
)

// Advise adds what a person can do about an error of AWS, to be printed. Where is the account of their credentials, and the region of the hub that
// they meant.
func Advise(err error, where event.Unit) error {
	f := fault.Of(err)
	if f == nil {
		return err
	}
	advice := adviceOn(f, where)
	if advice == "" {
		return err
	}
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) && len(several.Unwrap()) > 1 {
		return errors.Join(err, errors.New(advice))
	}
	return errors.New(err.Error() + "; " + advice)
}

func adviceOn(f *fault.Fault, where event.Unit) string {
	switch {
	case f.Op == "dynamodb:Scan" && f.Denied():
		return "your credentials lack dynamodb:Scan, which lists the fleet; a cluster named as ACCOUNT/REGION/NAME is found without it"
	case f.Denied():
		return "your credentials lack " + f.Need + "; docs/commands.md has what each command needs"
	case strings.HasPrefix(f.Code, "ExpiredToken"), f.Code == "InvalidClientTokenId", f.Code == "UnrecognizedClientException", f.Code == "InvalidSignatureException":
		return "your credentials are not valid, or not any more: sign in again"
	case isAbsent(f.Code):
		return fmt.Sprintf("is cniguard deployed in account %s and region %s? --profile and --region choose another", where.Account, where.Region)
	case f.Kind == fault.Retry && f.Code == "":
		return "AWS gave no answer from region " + where.Region + ": is the region right, and the network up?"
	}
	return ""
}

// isAbsent reports whether a code says that a table, a queue, a bus or a function is not there.
func isAbsent(code string) bool {
	switch code {
	case "ResourceNotFoundException", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "NotFoundException", "NotFound":
		return true
	}
	return false
}
