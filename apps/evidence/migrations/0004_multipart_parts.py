"""Large parts of an upload lie in a multipart upload of the object storage."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evidence", "0003_deferred_length")]

    operations = [
        migrations.AddField(
            "upload", "multipart", models.TextField(blank=True, default=""), preserve_default=False
        ),
        migrations.AlterField("piece", "name", models.CharField(blank=True, max_length=200)),
        migrations.AddField("piece", "number", models.PositiveIntegerField(default=0)),
    ]
