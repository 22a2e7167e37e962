package emulator_test

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// queue is one of the hub's account.
type queue struct {
	*stage
	client *sqs.Client
	url    string
}

// queue is one that there is.
func (s *stage) queue(name string) *queue {
	s.Helper()
	client := sqs.NewFromConfig(s.as(hub))
	out, err := client.GetQueueUrl(s.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		s.Fatal(err)
	}
	return &queue{s, client, *out.QueueUrl}
}

// subscribe makes a queue that gets the messages of a topic which a filter policy lets through.
func (s *stage) subscribe(topic, name, filter string) *queue {
	s.Helper()
	arn := "arn:aws:sqs:" + region + ":" + hub + ":" + name
	if _, err := sqs.NewFromConfig(s.as(hub)).CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{
		"Policy": `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "` + arn + `"}]}`,
	}}); err != nil {
		s.Fatal(err)
	}
	if _, err := sns.NewFromConfig(s.as(hub)).Subscribe(s.Context(), &sns.SubscribeInput{
		TopicArn: aws.String(topicARN(topic)), Protocol: aws.String("sqs"), Endpoint: &arn,
		Attributes: map[string]string{"FilterPolicy": filter, "RawMessageDelivery": "true"},
	}); err != nil {
		s.Fatal(err)
	}
	return s.queue(name)
}

func topicARN(readers string) string {
	return "arn:aws:sns:" + region + ":" + hub + ":cniguard-" + readers
}

// take takes all messages that are there.
func (q *queue) take() (bodies []string) {
	q.Helper()
	for {
		out, err := q.client.ReceiveMessage(q.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: 10})
		if err != nil {
			q.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			if _, err := q.client.DeleteMessage(q.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				q.Fatal(err)
			}
		}
	}
}

// next waits for messages, the last of which has all of these words in it.
func (q *queue) next(words ...string) (body string) {
	q.Helper()
	var all []string
	defer func() {
		if q.Failed() {
			q.Logf("messages so far: %q", all)
		}
	}()
	eventually(q.T, "a message with "+strings.Join(words, ", "), func() bool {
		for _, m := range q.take() {
			all = append(all, m)
			if hasAll(m, words) {
				body = m
			}
		}
		return body != ""
	})
	return body
}

func hasAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
