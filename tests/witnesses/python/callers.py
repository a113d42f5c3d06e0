"""A caller that is not ours (aio-pika) sends `group.create` in each accepted style and reads the reply.

Environment: AMQP_URL, INSTANCE, MEMBER (a person's Telegram id). One JSON line per style on standard
output: {"style", "id", "properties", "body"}. Ends with 0 only if every style got its reply.
"""

import asyncio
import json
import os
import uuid
from datetime import datetime, timedelta, timezone

import aio_pika

AMQP_URL, INSTANCE = os.environ["AMQP_URL"], os.environ["INSTANCE"]
MEMBER = os.environ["MEMBER"]
REPLY_BOUND_S = 60


def properties_only(reply_to):
    """All but the params in AMQP properties; instance and method from type and routing key."""
    message = aio_pika.Message(
        json.dumps({"params": {"title": "py properties_only"}}).encode(),
        message_id="py:properties_only",
        type="group.create",
        correlation_id="c-properties_only",
        reply_to=reply_to,
        timestamp=datetime.now(timezone.utc),
        expiration=timedelta(minutes=5),
        content_type="application/json; charset=utf-8",
    )
    return "py:properties_only", "tg.commands", f"{INSTANCE}.command", message


def body_only(reply_to):
    """No property at all, straight to the instance's queue."""
    body = {
        "id": "py:body_only",
        "method": "group.create",
        "instance": INSTANCE,
        "correlation_id": "c-body_only",
        "reply_to": reply_to,
        "deadline": (datetime.now(timezone.utc) + timedelta(minutes=5)).isoformat(),
        "params": {"title": "py body_only", "members": [int(MEMBER)]},
    }
    return "py:body_only", "", f"tg.commands.{INSTANCE}", aio_pika.Message(json.dumps(body).encode())


def camunda(reply_to):
    """What Camunda's outbound connector sends by our recipe: correlation id = process, one id per step."""
    message = aio_pika.Message(
        json.dumps({"params": {"title": "py camunda"}}).encode(),
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id="py:camunda",
        correlation_id="c-camunda",
        reply_to=reply_to,
        type="group.create",
    )
    return "py:camunda", "tg.commands", f"{INSTANCE}.group.create", message


def flat(reply_to):
    """Params beside the envelope, `action` for `method`, an API key that nobody asked for."""
    body = {
        "action": "group.create",
        "id": "py:flat",
        "instance": INSTANCE,
        "api_key": "canary-api-key",
        "reply_to": reply_to,
        "correlation_id": "c-flat",
        "title": "py flat",
        "members": [MEMBER],
    }
    message = aio_pika.Message(json.dumps(body).encode(), content_type="text/plain")
    return "py:flat", "tg.commands", f"{INSTANCE}.command", message


def n8n(reply_to):
    """Everything a string, headers too."""
    body = {
        "id": "py:n8n",
        "action": "group.create",
        "correlation_id": "c-n8n",
        "params": {"title": "py n8n", "members": [MEMBER]},
    }
    message = aio_pika.Message(
        json.dumps(body).encode(),
        headers={"x-workflow": "42", "x-run": "7"},
        reply_to=reply_to,
        expiration=timedelta(minutes=5),
    )
    return "py:n8n", "tg.commands", f"{INSTANCE}.group.create", message


def foreign(reply_to):
    """A framework that fills type and message_id with its own words."""
    body = {
        "id": "py:foreign",
        "method": "group.create",
        "correlation_id": "c-foreign",
        "params": {"title": "py foreign"},
    }
    message = aio_pika.Message(
        json.dumps(body).encode(),
        content_type="application/json",
        message_id=str(uuid.uuid4()),
        type="Acme.Crm.Contracts:OpenGroup",
        app_id="acme-crm",
        reply_to=reply_to,
    )
    return "py:foreign", "tg.commands", f"{INSTANCE}.group.create", message


STYLES = [properties_only, body_only, camunda, flat, n8n, foreign]


async def main():
    connection = await aio_pika.connect(AMQP_URL, timeout=30)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        replies = await channel.declare_queue(exclusive=True)
        async with replies.iterator(no_ack=True) as incoming:
            for style in STYLES:
                command_id, exchange, key, message = style(replies.name)
                target = (
                    await channel.get_exchange(exchange, ensure=False)
                    if exchange
                    else channel.default_exchange
                )
                await target.publish(message, routing_key=key, mandatory=True, timeout=30)
                reply = await asyncio.wait_for(anext(incoming), REPLY_BOUND_S)
                print(
                    json.dumps(
                        {
                            "style": style.__name__,
                            "id": command_id,
                            "properties": {
                                "content_type": reply.content_type,
                                "correlation_id": reply.correlation_id,
                                "message_id": reply.message_id,
                                "type": reply.type,
                                "delivery_mode": int(reply.delivery_mode),
                            },
                            "body": json.loads(reply.body),
                        }
                    ),
                    flush=True,
                )


asyncio.run(main())
