// A caller that is not ours (amqplib, which n8n uses too) sends `group.create` in each accepted style and
// reads the reply.
//
// Environment: AMQP_URL, INSTANCE, MEMBER (a person's Telegram id). One JSON line per style on standard
// output: {"style", "id", "properties", "body"}. Ends with 0 only if every style got its reply.
import { randomUUID } from "node:crypto";
import amqplib from "amqplib";

const { AMQP_URL, INSTANCE, MEMBER } = process.env;
const REPLY_BOUND_MS = 60_000;

// Each gives [id, exchange, routing key, body, publish options].
const styles = {
  // All but the params in AMQP properties; instance and method from type and routing key.
  properties_only: (replyTo) => [
    "js:properties_only",
    "tg.commands",
    `${INSTANCE}.command`,
    { params: { title: "js properties_only" } },
    {
      messageId: "js:properties_only",
      type: "group.create",
      correlationId: "c-properties_only",
      replyTo,
      timestamp: Math.floor(Date.now() / 1000),
      expiration: "300000",
      contentType: "application/json; charset=utf-8",
    },
  ],
  // No property at all, straight to the instance's queue.
  body_only: (replyTo) => [
    "js:body_only",
    "",
    `tg.commands.${INSTANCE}`,
    {
      id: "js:body_only",
      method: "group.create",
      instance: INSTANCE,
      correlation_id: "c-body_only",
      reply_to: replyTo,
      deadline: new Date(Date.now() + 300_000).toISOString(),
      params: { title: "js body_only", members: [Number(MEMBER)] },
    },
    {},
  ],
  // Camunda's property names, as its outbound connector takes them, by our recipe.
  camunda: (replyTo) => [
    "js:camunda",
    "tg.commands",
    `${INSTANCE}.group.create`,
    { params: { title: "js camunda" } },
    {
      contentType: "application/json",
      deliveryMode: 2,
      messageId: "js:camunda",
      correlationId: "c-camunda",
      replyTo,
      type: "group.create",
    },
  ],
  // Params beside the envelope, `action` for `method`, an API key that nobody asked for.
  flat: (replyTo) => [
    "js:flat",
    "tg.commands",
    `${INSTANCE}.command`,
    {
      action: "group.create",
      id: "js:flat",
      instance: INSTANCE,
      api_key: "canary-api-key",
      reply_to: replyTo,
      correlation_id: "c-flat",
      title: "js flat",
      members: [MEMBER],
    },
    { contentType: "text/plain" },
  ],
  // n8n: options and headers are strings whatever they mean.
  n8n: (replyTo) => [
    "js:n8n",
    "tg.commands",
    `${INSTANCE}.group.create`,
    {
      id: "js:n8n",
      action: "group.create",
      correlation_id: "c-n8n",
      params: { title: "js n8n", members: [MEMBER] },
    },
    { headers: { "x-workflow": "42", "x-run": "7" }, replyTo, expiration: "300000" },
  ],
  // A framework that fills type and message_id with its own words.
  foreign: (replyTo) => [
    "js:foreign",
    "tg.commands",
    `${INSTANCE}.group.create`,
    {
      id: "js:foreign",
      method: "group.create",
      correlation_id: "c-foreign",
      params: { title: "js foreign" },
    },
    {
      contentType: "application/json",
      messageId: randomUUID(),
      type: "Acme.Crm.Contracts:OpenGroup",
      appId: "acme-crm",
      replyTo,
    },
  ],
};

const connection = await amqplib.connect(AMQP_URL);
const channel = await connection.createConfirmChannel();
// Older n8n declares the exchange before each publish, plainly: it must match what is there.
await channel.assertExchange("tg.commands", "topic", { durable: true });
const { queue } = await channel.assertQueue("", { exclusive: true });
const waiting = [];
await channel.consume(queue, (message) => waiting.shift()?.(message), { noAck: true });

for (const [style, make] of Object.entries(styles)) {
  const [id, exchange, key, body, options] = make(queue);
  const reply = new Promise((resolve, reject) => {
    waiting.push(resolve);
    setTimeout(() => reject(new Error(`no reply to ${style}`)), REPLY_BOUND_MS).unref();
  });
  channel.publish(exchange, key, Buffer.from(JSON.stringify(body)), { mandatory: true, ...options });
  await channel.waitForConfirms();
  const { properties, content } = await reply;
  console.log(
    JSON.stringify({
      style,
      id,
      properties: {
        content_type: properties.contentType,
        correlation_id: properties.correlationId ?? null,
        message_id: properties.messageId,
        type: properties.type,
        delivery_mode: properties.deliveryMode,
      },
      body: JSON.parse(content),
    }),
  );
}
await connection.close();
