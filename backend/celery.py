"""The Celery application: broker, limits, schedule. Tasks live in the apps; what triggers them in `reactions.py`.

Without a broker setting, messages travel through files in the data directory: no service to install. A lost message
is sent again by the sweep, because the work itself is kept in the database (`apps.changes`).
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import task_postrun, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

from django.conf import settings
from django.db import close_old_connections

from backend.env import env

app = Celery("haidang")
_spool = settings.DATA_DIR / "broker"
app.conf.update(
    broker_url=env.broker_url or "filesystem://localhost",
    broker_transport_options=(
        {"visibility_timeout": 120, "socket_timeout": 5, "socket_connect_timeout": 5}
        if env.broker_url
        else {
            "data_folder_in": str(_spool / "messages"),
            "data_folder_out": str(_spool / "messages"),
            "control_folder": str(_spool / "control"),
            "store_processed": False,
            "polling_interval": 0.2,
        }
    ),
    broker_connection_retry_on_startup=True,
    task_publish_retry=False,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=300,
    task_soft_time_limit=240,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_max_tasks_per_child=2000,
    CELERY_DB_REUSE_MAX=1_000_000,  # Celery would open a connection for each task: see `look_after_connections`
    timezone="UTC",
    beat_schedule_filename=str(settings.DATA_DIR / "celerybeat-schedule"),
    beat_schedule={
        "checklists.close_expired": {"task": "checklists.close_expired", "schedule": 3600.0},
        "audit.sequence": {"task": "audit.sequence", "schedule": 1.0, "options": {"expires": 2}},
        "audit.sign_head": {"task": "audit.sign_head", "schedule": 60.0, "options": {"expires": 60}},
        "audit.stamp_head": {"task": "audit.stamp_head", "schedule": 300.0, "options": {"expires": 300}},
        "audit.export_head": {"task": "audit.export_head", "schedule": 3600.0, "options": {"expires": 3600}},
        "changes.sweep": {"task": "changes.sweep", "schedule": 5.0, "options": {"expires": 5}},
        "evidence.expire_uploads": {"task": "evidence.expire_uploads", "schedule": 3600.0},
        "evidence.recover_originals": {"task": "evidence.recover_originals", "schedule": 3600.0},
        "inspections.remove_orphaned_photos": {
            "task": "inspections.remove_orphaned_photos",
            "schedule": crontab(hour=20, minute=0),
        },
        "seizures.remove_orphaned_photos": {
            "task": "seizures.remove_orphaned_photos",
            "schedule": crontab(hour=20, minute=10),
        },
        "reference.publish_units": {
            "task": "reference.publish_units",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "sync.build_snapshots": {
            "task": "sync.build_snapshots",
            "schedule": 600.0,
            "options": {"expires": 600},
        },
        "sync.collect_snapshot_parts": {"task": "sync.collect_snapshot_parts", "schedule": 86400.0},
        "sync.retain": {"task": "sync.retain", "schedule": crontab(minute=17), "options": {"expires": 3600}},
        "inspections.note_single_use": {
            "task": "inspections.note_single_use",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "sync.watch_devices": {"task": "sync.watch_devices", "schedule": 600.0, "options": {"expires": 600}},
        # 00:05 in Vietnam, when a new name of a unit begins
        "sync.renew_postings": {"task": "sync.renew_postings", "schedule": crontab(hour=17, minute=5)},
        # 02:30 in Vietnam, when few reports come in
        "reporting.reconcile": {"task": "reporting.reconcile", "schedule": crontab(hour=19, minute=30)},
    },
)
if not env.broker_url:
    for name in ("messages", "control"):
        (_spool / name).mkdir(parents=True, exist_ok=True)
if settings.WEBPUSH.is_on:
    app.conf.beat_schedule["sync.poke"] = {"task": "sync.poke", "schedule": 15.0, "options": {"expires": 15}}
app.autodiscover_tasks()


@task_prerun.connect
@task_postrun.connect
def look_after_connections(sender: Any, **_: Any) -> None:
    """Keep a sound connection between tasks, with its prepared statements, and give up a broken one; as requests do."""
    if not sender.request.is_eager:
        close_old_connections()
